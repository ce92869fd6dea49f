"""Something that not everybody may do."""


def handler(event, context):
    month = event.get("month", "this month")
    print(f"payroll for {month} was asked for")
    return {"month": month, "paid": 42}
