"""What serves many repositories: a cluster that reads their files, and one run over all of them."""
