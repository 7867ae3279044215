import subprocess
import sys


def test_dialogue_loads_neither_telegram_nor_database_nor_index() -> None:
    modules = "language, message, questions, render, rich, smalltalk, texts"
    script = (
        f"import sys; from bot.dialogue import {modules}; "
        "print(sorted({'telegram', 'sqlalchemy', 'faiss', 'numpy', 'onnxruntime'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
