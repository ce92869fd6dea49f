"""A call and its sessions in, the function's outcome out."""
