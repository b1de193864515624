import subprocess
import sys

LIGHT = (
    "batches",
    "checkpoint",
    "cluster",
    "config",
    "history",
    "interruption",
    "plan",
    "progress",
)


def test_what_the_command_line_needs_at_once_imports_no_tensorflow():
    modules = ", ".join(f"textapps.training.{name}" for name in (*LIGHT, "run_directory"))
    code = f"import sys, {modules}; print({{'tensorflow', 'keras'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
