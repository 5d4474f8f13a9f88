"""Runs clang-tidy on sources of a build, several at once.

usage: tidy.py BUILD_DIRECTORY JOBS FILE ...

Findings go to standard error, a line `[done/total]` for each file to standard output. A file that
was clean is left alone until its text after preprocessing, its flags, the checks or clang-tidy
change.
"""

import concurrent.futures
import hashlib
import json
import pathlib
import shlex
import subprocess
import sys

TIDY = "clang-tidy-19"


def compilations(build):
    """The compiler's arguments by source file; files outside this build are missing."""
    entries = json.loads((build / "compile_commands.json").read_text())
    return {entry["file"]: (entry["directory"], shlex.split(entry["command"])) for entry in entries}


def checks():
    """What decides, beside a file itself, whether it is clean."""
    digest = hashlib.sha256(subprocess.run([TIDY, "--version"], capture_output=True).stdout)
    for path in sorted([*pathlib.Path().glob(".clang-tidy"), *pathlib.Path().glob("[a-z]*/**/.clang-tidy")]):
        digest.update(str(path).encode() + path.read_bytes())
    return digest.digest()


def fingerprint(directory, arguments, salt):
    """Of all that clang-tidy would read; None where the file does not preprocess."""
    output = arguments.index("-o")
    arguments = arguments[:output] + arguments[output + 2 :]
    # Comments count: they may silence a check.
    text = subprocess.run([*arguments, "-E", "-C"], cwd=directory, capture_output=True)
    if text.returncode != 0:
        return None
    return hashlib.sha256(salt + shlex.join(arguments).encode() + text.stdout).hexdigest()


def tidy(build, source, compilation, salt):
    """The findings, empty where there are none."""
    mark = build / "tidy" / (str(source) + ".clean")
    read = fingerprint(*compilation, salt)
    if read and mark.exists() and mark.read_text() == read:
        return ""
    run = subprocess.run([TIDY, "--quiet", "-p", build, source], capture_output=True, text=True)
    if run.returncode != 0:
        return run.stdout or run.stderr
    if read:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.write_text(read)
    return ""


def main():
    build, jobs = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    known, salt = compilations(build), checks()
    sources = [pathlib.Path(name) for name in sys.argv[3:] if str(pathlib.Path(name).resolve()) in known]
    clean = True
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        runs = [
            pool.submit(tidy, build, source, known[str(source.resolve())], salt) for source in sources
        ]
        for done, run in enumerate(concurrent.futures.as_completed(runs), 1):
            if run.result():
                clean = False
                sys.stderr.write(run.result())
            print(f"[{done}/{len(sources)}]", flush=True)
    sys.exit(not clean)


if __name__ == "__main__":
    main()
