"""A training step of a Thimble graph in PyTorch, for comparison: reads a graph as JSON and float32 vectors, answers
requests as lines of JSON. Layers are PyTorch's own functions on channels_last tensors.

Usage: train_torch.py FOLDER; the folder holds graph.json, constants.bin, x.bin, targets.bin.
"""

import json
import sys
import time

import torch
import torch.nn.functional as F

folder = sys.argv[1]
spec = json.load(open(f"{folder}/graph.json"))
torch.set_num_threads(spec["threads"])
torch.manual_seed(0)
exact = spec["mode"] == "exact"
dtype = torch.float64 if spec.get("double") else torch.float32


def floats(name):
    return torch.frombuffer(bytearray(open(f"{folder}/{name}", "rb").read()), dtype=torch.float32).to(dtype)


def as_nchw(t):
    return t.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)


constants = floats("constants.bin")
values = {}
parameters = {}
for c in spec["constants"]:
    t = constants[c["offset"] : c["offset"] + c["size"]].reshape(c["shape"]).clone()
    if c["role"] == "filter":  # OHWI
        t = t.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
    elif c["role"] == "depthwise":  # 1HWO
        t = t.permute(3, 0, 1, 2).contiguous(memory_format=torch.channels_last)
    if c["trains"]:
        t.requires_grad_(True)
        parameters[c["id"]] = t
    values[c["id"]] = t

x = as_nchw(floats("x.bin").reshape(spec["inputShape"]))
targets = floats("targets.bin").reshape(spec["targetShape"])


def padded(t, pads):
    top, bottom, left, right = pads
    if top == bottom and left == right:
        return t, (top, left)
    if not exact:  # As fast as PyTorch can, with an output of the same size.
        return t, (max(top, bottom), max(left, right))
    return F.pad(t, (left, right, top, bottom)), (0, 0)


def run(node):
    op, a = node["op"], node["attrs"]
    args = [None if i is None else values[i] for i in node["inputs"]]
    t = args[0]
    if op in ("CONV_2D", "DEPTHWISE_CONV_2D"):
        t, padding = padded(t, node["pads"])
        groups = t.shape[1] if op == "DEPTHWISE_CONV_2D" else 1
        return F.conv2d(t, args[1], args[2], tuple(a["stride"]), padding, tuple(a["dilation"]), groups)
    if op == "BATCH_NORMALIZATION":
        return F.batch_norm(t, args[3], args[4], args[1], args[2], True, 0.1, a["epsilon"])
    if op == "FULLY_CONNECTED":
        return F.linear(t.reshape(-1, args[1].shape[1]), args[1], args[2])
    if op == "ADD":
        return t + args[1]
    if op == "RELU":
        return F.relu(t)
    if op == "RELU6":
        return F.relu6(t)
    if op == "MEAN":
        return t.mean((2, 3))
    if op == "AVERAGE_POOL_2D":
        return F.avg_pool2d(t, tuple(a["kernel"]), tuple(a["stride"]))
    if op == "MAX_POOL_2D":
        return F.max_pool2d(t, tuple(a["kernel"]), tuple(a["stride"]))
    if op == "RESHAPE":
        return t.permute(0, 2, 3, 1).reshape(a["shape"]) if t.dim() == 4 else t.reshape(a["shape"])
    if op == "DROPOUT":
        return t
    raise NotImplementedError(op)


decay = [t for i, t in parameters.items() if spec["decays"][str(i)]]
free = [t for i, t in parameters.items() if not spec["decays"][str(i)]]
optimizer = torch.optim.SGD(
    [{"params": decay, "weight_decay": spec["weightDecay"]}, {"params": free, "weight_decay": 0.0}],
    lr=spec["rate"],
    momentum=spec["momentum"],
    foreach=True,
)


def step():
    values[spec["input"]] = x
    for node in spec["nodes"]:
        values[node["output"]] = run(node)
    y = values[spec["output"]]
    loss = -(targets * F.log_softmax(y, 1)).sum(1).mean()
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    return loss.item()


def stored(c):
    t = values[c["id"]].detach()
    if c["role"] == "filter":
        t = t.permute(0, 2, 3, 1)
    elif c["role"] == "depthwise":
        t = t.permute(1, 2, 3, 0)
    return t.reshape(-1).to(torch.float32).contiguous()


for line in sys.stdin:
    request = json.loads(line)
    if request["kind"] == "steps":
        losses, ms = [], []
        for _ in range(request["count"]):
            start = time.perf_counter()
            losses.append(step())
            ms.append((time.perf_counter() - start) * 1000)
        answer = {"losses": losses, "ms": ms}
    elif request["kind"] == "sgemm":
        a, b = torch.rand(1024, 1024), torch.rand(1024, 1024)
        best = 1e9
        for _ in range(request["count"]):
            start = time.perf_counter()
            torch.mm(a, b)
            best = min(best, time.perf_counter() - start)
        answer = {"gflops": 2 * 1024**3 / best / 1e9}
    else:
        data = torch.cat([stored(c) for c in spec["constants"]])
        open(f"{folder}/result.bin", "wb").write(data.numpy().tobytes())
        answer = {}
    print(json.dumps(answer), flush=True)
