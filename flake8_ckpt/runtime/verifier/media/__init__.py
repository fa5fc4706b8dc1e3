"""How an object is saved and loaded: files of torch and safetensors, folders, frameworks, callables of its own."""
