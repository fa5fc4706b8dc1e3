"""CKP204 in programs of plain functions, where all that training changes is a local or a module variable."""

from __future__ import annotations

from tests.rule_cases import TORCH
from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

APEX = """import torch
from torch import nn
from apex import amp

def store(net, optimizer, path):
    torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict()AMP}, path)

def main(path, batches):
    net = nn.Linear(2, 1)
    optimizer = torch.optim.Adam(net.parameters())
    net, optimizer = amp.initialize(net, optimizer)
    state = torch.load(path)
    net.load_state_dict(state["net"])
    optimizer.load_state_dict(state["optimizer"])
    LOAD
    for batch in batches:
        optimizer.zero_grad()
        with amp.scale_loss(net(batch).sum(), optimizer) as loss:
            loss.backward()
        optimizer.step()
        store(net, optimizer, path)MARK

if __name__ == "__main__":
    main("run.pt", [])
"""


def apex(saved: str = "", loaded: str = "pass", mark: str = "") -> str:
    """Return a script that trains with the loss scale of apex."""
    return APEX.replace("AMP", saved).replace("LOAD", loaded).replace("MARK", mark)


SILENT: dict[str, Case] = {
    "the loss scale of apex is kept": apex(', "amp": amp.state_dict()', 'amp.load_state_dict(state["amp"])'),
    "a helper that is called for each epoch makes a scaler that lives for one call": TORCH
    + """
def run_epoch(net, optimizer, batches, path):
    scaler = torch.cuda.amp.GradScaler()
    for batch in batches:
        optimizer.zero_grad()
        scaler.scale(net(batch).sum()).backward()
        scaler.step(optimizer)
        scaler.update()
        torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict()}, path)

def main(path, batches):
    net = nn.Linear(2, 1)
    optimizer = torch.optim.Adam(net.parameters())
    state = torch.load(path)
    net.load_state_dict(state["net"])
    optimizer.load_state_dict(state["optimizer"])
    for epoch in range(10):
        run_epoch(net, optimizer, batches, path)

if __name__ == "__main__":
    main("run.pt", [])
""",
    "a head is trained by itself and saved in the network that it is a part of": TORCH
    + """
def main(path, batches):
    body = nn.Linear(2, 2)
    head = nn.Linear(2, 1)
    net = nn.Sequential(body, head)
    optimizer = torch.optim.SGD(head.parameters(), lr=0.1)
    state = torch.load(path)
    net.load_state_dict(state["net"])
    optimizer.load_state_dict(state["optimizer"])
    for batch in batches:
        optimizer.zero_grad()
        net(batch).sum().backward()
        optimizer.step()
        torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict()}, path)

if __name__ == "__main__":
    main("run.pt", [])
""",
    "a scheduler is told where it goes on": TORCH
    + """
def main(path, batches):
    net = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 10)
    state = torch.load(path)
    net.load_state_dict(state["net"])
    optimizer.load_state_dict(state["optimizer"])
    start = state["epoch"] + 1
    scheduler.last_epoch = start - 1
    for epoch in range(start, 100):
        for batch in batches:
            optimizer.zero_grad()
            net(batch).sum().backward()
            optimizer.step()
        scheduler.step()
        torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch}, path)

if __name__ == "__main__":
    main("run.pt", [])
""",
    "the variables of the module are saved by one function and restored by another": TORCH
    + """
net = nn.Linear(2, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 10)

def resume(path):
    state = torch.load(path)
    net.load_state_dict(state["net"])
    optimizer.load_state_dict(state["optimizer"])
    scheduler.load_state_dict(state["scheduler"])

def train(batches, path):
    for batch in batches:
        optimizer.zero_grad()
        net(batch).sum().backward()
        optimizer.step()
        scheduler.step()
    state = {"net": net.state_dict(), "optimizer": optimizer.state_dict()}
    state["scheduler"] = scheduler.state_dict()
    torch.save(state, path)

resume("run.pt")
train([], "run.pt")
""",
    "a global of one function has a file of its own": TORCH
    + """
scaler = None

def set_up(path):
    global net, optimizer, scaler
    net = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    scaler = torch.cuda.amp.GradScaler()
    state = torch.load(path)
    net.load_state_dict(state["net"])
    optimizer.load_state_dict(state["optimizer"])
    scaler.load_state_dict(torch.load("scaler.pt"))

def train(batches, path):
    for batch in batches:
        optimizer.zero_grad()
        scaler.scale(net(batch).sum()).backward()
        scaler.step(optimizer)
        scaler.update()
    torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict()}, path)
    torch.save(scaler.state_dict(), "scaler.pt")

set_up("run.pt")
train([], "run.pt")
""",
    "a branch decides what keeps the average, whose inner network is saved": TORCH
    + """
from timm.utils import ModelEma

def resume(path, net, optimizer, average):
    state = torch.load(path)
    net.load_state_dict(state["net"])
    optimizer.load_state_dict(state["optimizer"])
    average.ema.load_state_dict(state["shadow"])
    return net, optimizer, average

def main(path, batches, is_averaged, is_resumed):
    net = nn.Linear(2, 1)
    if is_averaged:
        average = ModelEma(net)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    if is_resumed:
        net, optimizer, average = resume(path, net, optimizer, average)
    for batch in batches:
        optimizer.zero_grad()
        net(batch).sum().backward()
        optimizer.step()
        average.update(net)
    state = {"net": net.state_dict(), "optimizer": optimizer.state_dict(), "shadow": average.ema.state_dict()}
    torch.save(state, path)

if __name__ == "__main__":
    main("run.pt", [], True, True)
""",
    "what scores the networks trains a probe for each file": TORCH
    + """
def probe(path, batches):
    net = nn.Linear(2, 1)
    net.load_state_dict(torch.load(path)["net"])
    head = nn.Linear(1, 1)
    optimizer = torch.optim.SGD(head.parameters(), lr=0.1)
    for batch in batches:
        optimizer.zero_grad()
        head(net(batch)).sum().backward()
        optimizer.step()
    return head

def main(path, batches):
    net = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    state = torch.load(path)
    net.load_state_dict(state["net"])
    optimizer.load_state_dict(state["optimizer"])
    for batch in batches:
        optimizer.zero_grad()
        net(batch).sum().backward()
        optimizer.step()
        torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict()}, path)

if __name__ == "__main__":
    main("run.pt", [])
    probe("run.pt", [])
""",
}

FOUND: dict[str, Case] = {
    "the loss scale of apex": apex(mark="  # CKP204"),
    "an option decides whether there is a scaler": TORCH
    + """
def main(path, batches, use_amp):
    net = nn.Linear(2, 1)
    optimizer = torch.optim.Adam(net.parameters())
    scaler = torch.cuda.amp.GradScaler() if use_amp else None
    state = torch.load(path)
    net.load_state_dict(state["net"])
    optimizer.load_state_dict(state["optimizer"])
    for batch in batches:
        optimizer.zero_grad()
        loss = net(batch).sum()
        if scaler is None:
            loss.backward()
            optimizer.step()
        else:
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
    torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict()}, path)  # CKP204

if __name__ == "__main__":
    main("run.pt", [], True)
""",
    "the optimizer of a critic that a configuration asks for is saved, not the critic": TORCH
    + """
def main(path, batches, make, weight):
    net = make()
    critic = net.make_critic().to("cuda") if weight > 0 else None
    optimizer = torch.optim.Adam(net.parameters())
    critic_optimizer = torch.optim.Adam(critic.parameters()) if critic else None
    state = torch.load(path)
    net.load_state_dict(state["net"])
    optimizer.load_state_dict(state["optimizer"])
    if critic_optimizer:
        critic_optimizer.load_state_dict(state["critic_optimizer"])
    for batch in batches:
        optimizer.zero_grad()
        critic_optimizer.zero_grad()
        critic(net(batch)).sum().backward()
        optimizer.step()
        critic_optimizer.step()
    state = {"net": net.state_dict(), "optimizer": optimizer.state_dict()}
    if critic_optimizer:
        state["critic_optimizer"] = critic_optimizer.state_dict()
    torch.save(state, path)  # CKP204
""",
    "functions work on the variables of the module": TORCH
    + """
net = nn.Linear(2, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 10)

def resume(path):
    state = torch.load(path)
    net.load_state_dict(state["net"])
    optimizer.load_state_dict(state["optimizer"])

def train(batches, path):
    for batch in batches:
        optimizer.zero_grad()
        net(batch).sum().backward()
        optimizer.step()
        scheduler.step()
    torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict()}, path)

resume("run.pt")
train([], "run.pt")  # CKP204
""",
    "a function makes what the module knows": TORCH
    + """
def set_up(path):
    global net, optimizer, scaler
    net = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    scaler = torch.cuda.amp.GradScaler()
    state = torch.load(path)
    net.load_state_dict(state["net"])
    optimizer.load_state_dict(state["optimizer"])

def train(batches, path):
    for batch in batches:
        optimizer.zero_grad()
        scaler.scale(net(batch).sum()).backward()
        scaler.step(optimizer)
        scaler.update()
    torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict()}, path)

def main():
    set_up("run.pt")
    train([], "run.pt")

main()  # CKP204
""",
    "each object has a file of its own, and one of two optimizers has none": TORCH
    + """
import os

net = nn.Linear(2, 1)
table = nn.Embedding(3, 2)
if os.environ.get("SGD"):
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    sparse = torch.optim.SGD(table.parameters(), lr=0.1)
else:
    optimizer = torch.optim.Adam(net.parameters())
    sparse = torch.optim.SparseAdam(table.parameters())
if os.environ.get("RESTART"):
    with open("net.pt", "rb") as file:
        net = torch.load(file)
    with open("optimizer.pt", "rb") as file:
        optimizer.load_state_dict(torch.load(file))

def train(batches):
    for batch in batches:
        net.zero_grad()
        net(table(batch)).sum().backward()
        optimizer.step()
        sparse.step()
    with open("net.pt", "wb") as file:
        torch.save(net, file)
    with open("optimizer.pt", "wb") as file:
        torch.save(optimizer.state_dict(), file)

train([])  # CKP204
""",
    "a program calls main, which makes the scaler after the resume": TORCH
    + """
def main(path, batches):
    net = nn.Linear(2, 1)
    optimizer = torch.optim.Adam(net.parameters())
    start = 0
    if path.is_file():
        state = torch.load(path)
        start = state["epoch"]
        net.load_state_dict(state["net"])
        optimizer.load_state_dict(state["optimizer"])
    scaler = torch.cuda.amp.GradScaler()
    for epoch in range(start, 10):
        for batch in batches:
            optimizer.zero_grad()
            scaler.scale(net(batch).sum()).backward()
            scaler.step(optimizer)
            scaler.update()
        record = dict(epoch=epoch + 1, net=net.state_dict(), optimizer=optimizer.state_dict())
        torch.save(record, path)  # CKP204

if __name__ == "__main__":
    main(make_path(), [])
""",
    "main resumes, and a function with the loop makes the scheduler": TORCH
    + """
def fit(net, optimizer, batches, path):
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 100)
    for epoch in range(10):
        for batch in batches:
            optimizer.zero_grad()
            net(batch).sum().backward()
            optimizer.step()
        scheduler.step()
        torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict()}, path)  # CKP204

def main(path, batches):
    net = nn.Linear(2, 1)
    optimizer = torch.optim.Adam(net.parameters())
    state = torch.load(path)
    net.load_state_dict(state["net"])
    optimizer.load_state_dict(state["optimizer"])
    fit(net, optimizer, batches, path)

if __name__ == "__main__":
    main("run.pt", [])
""",
    "save and load are helpers of another file": {
        "files.py": """
from torch import load
from torch import save

def store(path, net, opt, epoch):
    save({"net": net.state_dict(), "opt": opt.state_dict(), "epoch": epoch}, path)

def restore(path, net, opt):
    state = load(path)
    net.load_state_dict(state["net"])
    opt.load_state_dict(state["opt"])
    return state["epoch"]
""",
        "program.py": """
import torch as th
from files import restore
from files import store

def work(path, batches):
    net = th.nn.Linear(2, 1)
    opt = th.optim.Adam(net.parameters())
    scaler = th.amp.GradScaler("cuda")
    start = restore(path, net, opt)
    for epoch in range(start, 9):
        for batch in batches:
            opt.zero_grad()
            scaler.scale(net(batch).sum()).backward()
            scaler.step(opt)
            scaler.update()
        store(path, net, opt, epoch)  # CKP204

work("run.pt", [])
""",
    },
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_what_a_script_forgets(case: Case) -> None:
    check_findings(case)
