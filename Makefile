# What a fresh clone needs: `make train` or `make test`. PYTHON names the interpreter for .venv.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
SET_UP := $(VENV)/.set-up

PYTEST := $(BIN)/pytest --numprocesses=auto --dist=loadfile --no-loadscope-reorder

.PHONY: train test test-slow test-all durations docs check static acceptance bench pretrained clean

# Train on the bundled sample, see how good it is, ask it.
train: $(SET_UP)
	$(BIN)/textapps sentiment train --data sample --preset tiny
	$(BIN)/textapps sentiment evaluate
	$(BIN)/textapps sentiment predict "A wonderful film: I laughed, I cried, I went again."

# One process per core; tests/durations.py says which tests a process takes together.
test: $(SET_UP)
	$(PYTEST) -m "not acceptance and not exhaustive and not slow"

# What takes seconds each: with `make test` all but other backbones and combinations.
test-slow: $(SET_UP)
	$(PYTEST) -m "not acceptance and not exhaustive and slow"

# Other backbones and combinations too.
test-all: $(SET_UP)
	$(PYTEST) -m "not acceptance"

# Renews tests/durations.json, on a machine that has nothing else to do.
durations: $(SET_UP)
	$(PYTEST) -m "not acceptance" --renew-durations

# The tables of configuration keys in docs/, from the models; a test says when they have drifted.
docs: $(SET_UP)
	$(BIN)/python -m tests.key_tables

# All that must hold before a change goes in.
check: static test-slow test

static: $(SET_UP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The figures that the documentation states, on real data: hours.
acceptance: $(SET_UP)
	$(BIN)/pytest -m acceptance --timeout=7200

# Hours; the machine should have nothing else to do. PyTorch is for five of them alone. Pairs of
# sentences and recordings are only measured where they are:
# make bench MULTI30K=DIR TATOEBA=DIR SPEECH=DIR SMALL=DIR
bench: $(SET_UP)
	$(BIN)/python -m benchmarks nbsvm
	$(BIN)/python -m benchmarks startup
	$(BIN)/python -m benchmarks time-to-accuracy
ifdef SMALL
	$(BIN)/python -m benchmarks search-quality --imdb "$(SMALL)/tfds" --reviews "$(SMALL)/sentiment_zh" --pairs "$(SMALL)/tatoeba/spa-eng.tsv.gz" --poems "$(SMALL)/poetry/tang_poems.tsv.gz" --clips "$(SMALL)/speech_commands"
endif
	$(BIN)/python -m benchmarks sentiment
	$(BIN)/python -m benchmarks sentiment --preset base
	$(BIN)/python -m benchmarks generate
	$(BIN)/python -m benchmarks shakespeare
ifdef MULTI30K
	$(BIN)/python -m benchmarks translate --data "$(MULTI30K)"
	$(BIN)/python -m benchmarks translate --data "$(MULTI30K)" --attention none
	$(BIN)/python -m benchmarks translate --data "$(MULTI30K)" --preset base
	$(BIN)/python -m benchmarks numbers --data "$(MULTI30K)"
endif
ifdef TATOEBA
	$(BIN)/python -m benchmarks tatoeba --data "$(TATOEBA)"
endif
ifdef SPEECH
	$(BIN)/python -m benchmarks speech --data "$(SPEECH)"
	$(BIN)/python -m benchmarks speech --data "$(SPEECH)" --preset tiny
	$(BIN)/python -m benchmarks speech --data "$(SPEECH)" --streaming
	$(BIN)/python -m benchmarks speech --data "$(SPEECH)" --vocabulary open
	$(BIN)/python -m benchmarks speech --data "$(SPEECH)" --vocabulary open --streaming
	$(BIN)/python -m benchmarks unknown-words --data "$(SPEECH)"
	$(BIN)/python -m benchmarks added-words --data "$(SPEECH)"
endif
	$(BIN)/pip install --quiet torch==2.13.0
	$(BIN)/python -m benchmarks nanogpt --seconds 180
	$(BIN)/python -m benchmarks generation
	$(BIN)/python -m benchmarks search
	$(BIN)/python -m benchmarks recurrent-steps
ifdef SPEECH
	$(BIN)/python -m benchmarks speech-speed
endif
	$(BIN)/python -m benchmarks copy-task
	$(BIN)/python -m benchmarks serving
	$(BIN)/python -m benchmarks serving-grpc
	$(BIN)/python -m benchmarks serving-swap
	$(BIN)/python -m benchmarks serving-soak
	$(BIN)/python -m benchmarks serving-dependent
	$(BIN)/python -m benchmarks serving-health
	$(BIN)/python -m benchmarks serving-fuzz
	$(BIN)/python -m benchmarks serving-many
	$(BIN)/python -m benchmarks distributed
	$(BIN)/python -m benchmarks batch-inference
	$(BIN)/python -m benchmarks large-data
	$(BIN)/python -m benchmarks large-text
	$(BIN)/pip install --quiet --editable '.[spark]' --constraint constraints.txt
	$(BIN)/python -m benchmarks batch-spark
	$(BIN)/python -m benchmarks page

# The models that come with the package, trained anew and packed: hours. After an interruption the
# same command goes on. A model whose data are not named stays as it is. IMDB and ZH are folders, as
# --data-dir and of three tables; the others are what --data takes:
# make pretrained IMDB=DIR UNSUPERVISED=FILE ZH=DIR SHAKESPEARE=FILE POEMS=FILE TATOEBA=FILE SPEECH=DIR
pretrained: $(SET_UP)
	$(BIN)/python models/make.py

# Runs and exports under models/ stay.
clean:
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(SET_UP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[dev]' --constraint constraints.txt
	touch $@
