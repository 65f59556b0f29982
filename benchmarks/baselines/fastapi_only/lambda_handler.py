"""The floor with the framework: FastAPI behind Mangum, one route, nothing else."""
# ruff: noqa: INP001  this folder is what Lambda puts on the path, not a package

from fastapi import FastAPI
from mangum import Mangum

app = FastAPI(title="One route")


@app.get("/")
async def read_status() -> dict[str, str]:
    """Say that the service runs."""
    return {"status": "ok"}


lambda_handler = Mangum(app, lifespan="off")
