"""Parses and writes large bodies in a separate process, which ends with its parent.

Run as a script, `python -I reader_process.py ROOT`: ROOT is the directory that contains the package
textapps. Standard input is a socket; `readers.py` sends it functions with arguments.
"""

import gc
import os
import socket
import sys
import traceback


def main(root: str) -> None:
    """Answers requests in order."""
    sys.path.insert(0, root)
    import ml_dtypes  # noqa: F401  registers bfloat16 with NumPy

    from textapps.serving.frames import receive, send
    from textapps.serving.grpc.messages import import_messages_alone

    import_messages_alone()
    gc.disable()  # looking for cycles while a body is parsed takes longer than parsing
    with socket.socket(fileno=os.dup(0)) as connection:
        while True:
            try:
                request = receive(connection)
                try:
                    function, *arguments = request
                    answer = function(*arguments)
                except Exception:
                    answer = ("failed", traceback.format_exc())
                send(connection, answer)
            except (EOFError, OSError):
                return
            del request, arguments, answer  # they may be large
            gc.collect()  # an error that holds its own traceback would hold the body too
            gc.freeze()  # the next collection passes by what is imported


if __name__ == "__main__":
    main(*sys.argv[1:])
