import sys
from pathlib import Path

# The processes that test_resume.py starts import `trainee` by its name.
sys.path.insert(0, str(Path(__file__).parent))
