"""The peer that most people would write: FastAPI with PyJWT, one dependency that verifies and looks for a group.

usage: peer_fastapi.py FOLDER PORT
"""

import json
import sys
from pathlib import Path
from typing import Annotated

import jwt
import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Request

folder, port = Path(sys.argv[1]), int(sys.argv[2])
KEY = jwt.PyJWK(json.loads((folder / "jwks.json").read_text())["keys"][0]).key
app = FastAPI()


def caller(request: Request) -> dict:
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    try:
        claims = jwt.decode(token, KEY, algorithms=["RS256"], audience="actas", issuer="https://bench.example/")
    except jwt.PyJWTError as wrong:
        raise HTTPException(401) from wrong
    if "/finance" not in claims["groups"]:
        raise HTTPException(403)
    return claims


@app.post("/call/report")
async def report(request: Request, _claims: Annotated[dict, Depends(caller)]) -> dict:
    await request.body()
    return {"done": True}


uvicorn.run(app, host="127.0.0.1", port=port, loop="uvloop", http="httptools", access_log=False, log_level="warning")
