"""A SavedModel behind a plain FastAPI endpoint, one call for each request, as one writes it first.

    python -m benchmarks.counterparts.plain_endpoint SAVED_MODEL PORT

`/thread` answers in FastAPI's pool of threads, as it does for an ordinary function; `/loop` in the
event loop, one after the other.
"""

import sys
from typing import Any

import tensorflow as tf
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel


class Body(BaseModel):
    instances: list[str]


def create_app(saved_model: str) -> FastAPI:
    """The endpoints, for a model whose only input is `text`."""
    model = tf.saved_model.load(saved_model)
    signature = model.signatures["serving_default"]
    app = FastAPI()

    def predict(body: Body) -> dict[str, Any]:
        outputs = signature(text=tf.constant(body.instances))
        columns = {name: tensor.numpy().tolist() for name, tensor in outputs.items()}
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        return {"predictions": rows}

    @app.post("/thread")
    def in_thread(body: Body) -> dict[str, Any]:
        return predict(body)

    @app.post("/loop")
    async def in_loop(body: Body) -> dict[str, Any]:
        return predict(body)

    app.state.model = model  # its variables live as long as it does
    return app


def main(saved_model: str, port: str) -> None:
    uvicorn.run(create_app(saved_model), port=int(port), access_log=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
