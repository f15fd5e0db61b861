# make run starts the register, make check is for the daily round, make test runs every check. All install what they need.
# To use a certain Python: make run PYTHON=python3.13      To give pytest arguments: make test ARGS="-k viewer"

.DEFAULT_GOAL := help
PY := .venv/bin/python
ARGS ?=
LOCK := uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --python-version 3.11
BABEL := $(PY) -m babel.messages.frontend --quiet
LOCALE := services/locale
# The fast tests: rules and formats, clients of the registers, the tests' own tools; no PostgreSQL, no browser.
FAST := tests/services tests/support_tests tests/test_tooling.py tests/test_vendored.py \
  --ignore tests/services/test_demo.py --ignore tests/support_tests/test_postgres.py -k "not postgresql"
export PYTHON

.PHONY: help run check test coverage faults bench lint format clean lock messages install check-office security

help:  ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile

run:  ## install, migrate, fill with demo data, start everything (Ctrl-C ends it)
	@sh tools/venv.sh requirements.txt
	@APP_ENV=development exec $(PY) -m flask --app wsgi start

install:  ## install all that the tests need: packages, browser, PostgreSQL
	@sh tools/venv.sh requirements-dev.txt
	@$(PY) -m tests.support.machine

check: lint  ## lint, types and the fast tests: less than a minute on two quiet cores
	@$(PY) -m pytest --quiet --numprocesses 2 --dist worksteal $(FAST)

test: install lint  ## lint and run all tests; the last line is pytest's
	@$(PY) -m pytest --numprocesses 2 --dist worksteal $(ARGS)

coverage: install  ## run all tests, or ARGS="tests/web", and tell which lines none of them runs; in full under var/coverage
	@$(PY) -m pytest --numprocesses 2 --dist worksteal --cov --cov-report=term:skip-covered --cov-report=html:var/coverage $(ARGS)

faults: install  ## cut every form off at every byte, also through HAProxy; two users on a bad line for ten minutes; an hour (not part of make test)
	@$(PY) -m tests.support.haproxy
	@FAULTS=all $(PY) -m pytest --numprocesses 2 --dist loadfile -o faulthandler_timeout=0 tests/faults tests/browser/test_two_on_a_bad_line.py $(ARGS)

bench:  ## measure the program beside its floor (ARGS="--sizes 10000 --databases sqlite --only list,sort")
	@sh tools/venv.sh requirements-dev.txt
	@$(PY) -m tests.bench $(ARGS)

lint:  ## ruff, mypy, djlint, import-linter, oxlint
	@sh tools/venv.sh requirements-dev.txt
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@$(PY) -m djlint app --lint --quiet
	@.venv/bin/lint-imports
	@.venv/bin/oxlint app/static/scripts

check-office:  ## open the CSV downloads in LibreOffice and check what it makes of them (not part of make test)
	@sh tools/venv.sh requirements-dev.txt
	@$(PY) -m tools.check_office

security:  ## let bandit, wapiti and sqlmap loose on the program, about ten minutes (not part of make test)
	@sh tools/venv.sh requirements-dev.txt
	@sh tools/venv.sh requirements-security.txt .venv-security
	@$(PY) -m tools.check_security

format:  ## let ruff lay out the code
	@sh tools/venv.sh requirements-dev.txt
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

lock:  ## renew the lock files from the .in files (needs uv)
	$(LOCK) --upgrade requirements.in -o requirements.txt
	$(LOCK) --upgrade -c requirements.txt requirements-dev.in -o requirements-dev.txt
	$(LOCK) --upgrade requirements-security.in -o requirements-security.txt

messages:  ## collect the texts, bring the catalogues up to date, compile them
	@sh tools/venv.sh requirements-dev.txt
	@mkdir -p $(LOCALE)
	@$(BABEL) extract --mapping-file pyproject.toml --keyword N_ --project jobbsjanseregisteret --add-location file \
	  --sort-by-file --output-file $(LOCALE)/messages.pot app services
	@if ls $(LOCALE)/*/LC_MESSAGES/messages.po >/dev/null 2>&1; then \
	  $(BABEL) update --no-fuzzy-matching --input-file $(LOCALE)/messages.pot --output-dir $(LOCALE) && \
	  $(BABEL) compile --directory $(LOCALE); fi

clean:  ## remove what was made, but not the database
	rm -rf .venv .venv-security .venv-servers .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache var/coverage*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
