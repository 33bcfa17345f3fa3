"""The most talkative traceback there is, to look in it for what must never be shown."""

from __future__ import annotations

from pathlib import Path

TESTS = str(Path(__file__).parent)


def show_everything(error: BaseException) -> str:
    """What is printed of an error and of all that led to it by one who prints every frame with all its locals.

    Without the frames of the tests themselves, which hold the secret.
    """
    texts = []
    seen: BaseException | None = error
    while seen is not None:
        texts += [repr(seen), str(seen)]
        frame = seen.__traceback__
        while frame is not None:
            if not frame.tb_frame.f_code.co_filename.startswith(TESTS):
                texts.append(repr(frame.tb_frame.f_locals))
            frame = frame.tb_next
        seen = seen.__cause__ or seen.__context__
    return "\n".join(texts)
