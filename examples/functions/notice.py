"""Runs when something happened to somebody; what it is told is what `payload` lists in actas.yaml."""


def handler(event, context):
    told = event["data"]
    print(f"noticed: {told['kind']} {told['group'] or ''}".rstrip())
    return {"noticed": event["id"]}
