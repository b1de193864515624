"""A status other than success that is no failure of the server."""

import grpc


class Rejection(Exception):
    """Ends a call with a status code and a message for the client."""

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code
