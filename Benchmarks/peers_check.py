"""Whether both servers do the same work, before any of it is timed."""

import datetime
import json

SAMPLE = [0, 6, 250, 499]


def faults(tools, sides, workloads):
    """What is wrong, in sentences; nothing when both answer alike and refuse whom they do not know."""
    found = []
    for side in sides:
        found += [f"{side.name} {workload}: {fault}" for workload in workloads for fault in CHECKS[workload](tools, side.peer)]
        found += [f"{side.name} W4: {fault}" for fault in strangers(tools, side.peer)]
    if not found and "W4" in workloads:
        found += differences(tools, *[side.peer for side in sides])
    return found


def check_find(tools, peer):
    paths = tools.path(peer.wl["W3"]["ids"])
    known = open(paths).read().split() if peer.name == "martlet" else [str(number + 1) for number in range(500)]
    for number in SAMPLE:
        status, _, body = tools.req(peer, "W3", number)
        if status != 200 or str(json.loads(body)["id"]) != known[number]:
            yield f"status {status} for {known[number]}: {body[:200]}"


def check_list(tools, peer):
    for number in SAMPLE:
        status, _, body = tools.req(peer, "W4", number)
        if status != 200 or len(json.loads(body)["items"]) != 20:
            yield f"status {status}: {body[:200]}"


def check_save(tools, peer):
    """With a link of its own, so that a second check is no conflict."""
    sent = json.loads(open(tools.path(peer.wl["W5"]["bodies"])).readline())
    sent["url"] += datetime.datetime.now().isoformat()
    status, _, body = tools.req(peer, "W5", 0, None, json.dumps(sent))
    answer = json.loads(body)
    if status != 201 or not answer.get("id") or any(answer.get(name) != value for name, value in sent.items()):
        yield f"status {status} for {sent}: {body[:300]}"


def strangers(tools, peer):
    """A caller without a token, and one with a signature that is not the key's."""
    token = open(tools.path(peer.wl["W4"]["tokens"])).readline().strip()
    forged = token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB")
    for name, authorization in {"no token": None, "a forged one": f"Bearer {forged}"}.items():
        status, _, _ = tools.req(peer, "W4", 0, {"Authorization": authorization})
        if status != 401:
            yield f"{name} was answered with {status}"


def differences(tools, first, second):
    """Both list the same bookmarks, in the same order, and count as many."""
    for number in SAMPLE:
        one, other = [listed(json.loads(tools.req(peer, "W4", number)[2])) for peer in (first, second)]
        if one != other:
            yield f"W4 differs for user {number + 1}: {first.name} {str(one)[:300]}, {second.name} {str(other)[:300]}"


def listed(page):
    items = [[item[name] for name in ("id", "url", "title", "notes", "tags")] for item in page["items"]]
    moments = [moment(item.get("created_at") or item["saved_at"]) for item in page["items"]]
    return page["total"], items, moments


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


CHECKS = {"W3": check_find, "W4": check_list, "W5": check_save}
