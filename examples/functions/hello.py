"""Says hello; runs unchanged in AWS Lambda."""


def handler(event, context):
    return {"message": f"hello, {event.get('name', 'world')}", "request": context.aws_request_id}
