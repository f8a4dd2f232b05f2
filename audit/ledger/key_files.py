"""Files of keys and checkpoints: secret keys only their owner can read, and a checkpoint is replaced as a whole."""

import os
import secrets
import stat
import tempfile
from pathlib import Path
from typing import Final

from audit.ledger.checkpoints import SignedCheckpoint, parse_checkpoint
from audit.ledger.notes import KeyType, NoteError, SignerKey, parse_signer, parse_verifier, require_name
from audit.ledger.witness import Witness
from contract.errors import RemedyError
from contract.said import said_by

_SEED: Final = 32
_WORDS: Final = 2


def make_key(path: Path, name: str, kind: KeyType = KeyType.NOTE) -> SignerKey:
    """Make a key in a new file with mode 600. Raises RemedyError; a file that is there is never overwritten."""
    try:
        key = SignerKey(name=require_name(name), seed=secrets.token_bytes(_SEED), kind=kind)
    except NoteError as exc:
        raise RemedyError(str(exc), said_by(exc).zh) from exc
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(key.text + "\n")
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError as exc:
        raise RemedyError(
            f"{path} is there already, and a key is never overwritten: give another file",
            f"{path} 已存在，密钥不会被覆盖：请指定其他文件",
        ) from exc
    except OSError as exc:
        raise _unusable(path, exc) from exc
    return key


def replace_key(path: Path, key: SignerKey) -> None:
    """Put another key into a file, at once. Raises RemedyError."""
    _replace(path, key.text + "\n", 0o600)


def read_key(path: Path) -> SignerKey:
    """The key in a file. Raises RemedyError, also for a file that others can read."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as exc:
        raise RemedyError(
            f"there is no key in {path}: make one with `milepost ledger key new NAME --key {path}`",
            f"{path} 中没有密钥：请用 `milepost ledger key new 名称 --key {path}` 生成",
        ) from exc
    except (OSError, UnicodeDecodeError) as exc:
        raise _unusable(path, exc) from exc
    if mode & 0o077:
        raise RemedyError(
            f"others can read the key in {path} (mode {mode:o}): run `chmod 600 {path}`, and rotate the key if "
            "somebody may have read it",
            f"其他人可以读取 {path} 中的密钥（权限 {mode:o}）：请运行 `chmod 600 {path}`；若可能已被读取，请更换密钥",
        )
    try:
        return parse_signer(text)
    except NoteError as exc:
        raise RemedyError(f"{path}: {exc}", f"{path}：{said_by(exc).zh}") from exc


def next_key(path: Path) -> Path:
    """Where the key lies that a rotation is about to put into `path`."""
    return path.with_name(path.name + ".new")


def read_next_key(path: Path) -> SignerKey | None:
    """The key beside `path`; None: there is none any more. Raises RemedyError."""
    try:
        return read_key(next_key(path))
    except RemedyError as exc:
        if isinstance(exc.__cause__, FileNotFoundError):
            return None
        raise


def take_next_key(path: Path) -> bool:
    """Put the key beside `path` into its place, on the disk when this returns; whether it was there still. Raises
    RemedyError."""
    try:
        next_key(path).replace(path)
        _sync_folder(path.parent)
    except FileNotFoundError:
        return False
    except OSError as exc:
        raise _unusable(path, exc) from exc
    return True


def read_text(path: Path) -> str:
    """The text of a file. Raises RemedyError."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise _unusable(path, exc) from exc


def read_witnesses(path: Path) -> tuple[Witness, ...]:
    """The witnesses in a file: a public key and an address on each line; '#' begins a remark. Raises RemedyError."""
    found = []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        try:
            key = parse_verifier(words[0])
        except NoteError as exc:
            raise RemedyError(f"{path}, line {number}: {exc}", f"{path} 第 {number} 行：{said_by(exc).zh}") from exc
        if (
            len(words) != _WORDS
            or not words[1].startswith(("http://", "https://"))
            or key.kind is not KeyType.COSIGNATURE
        ):
            raise RemedyError(
                f"{path}, line {number}: write the public key of a witness and its address, https://…",
                f"{path} 第 {number} 行：请写见证方的公钥及其地址 https://…",
            )
        found.append(Witness(key, words[1]))
    return tuple(found)


def read_checkpoint(path: Path) -> SignedCheckpoint | None:
    """The checkpoint in a file; None: no such file. Raises RemedyError."""
    try:
        # A person who saves a mail leaves empty lines at the end; they are no part of what is signed.
        return parse_checkpoint(path.read_text(encoding="utf-8").rstrip("\n") + "\n")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as exc:
        raise _unusable(path, exc) from exc
    except NoteError as exc:
        raise RemedyError(f"{path}: {exc}", f"{path}：{said_by(exc).zh}") from exc


def write_checkpoint(path: Path, signed: SignedCheckpoint) -> None:
    """Replace the checkpoint in a file, on the disk when this returns. Raises RemedyError."""
    _replace(path, signed.note.render(), 0o600)


def _replace(path: Path, text: str, mode: int) -> None:
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        new = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fchmod(file.fileno(), mode)
                os.fsync(file.fileno())
            new.replace(path)
        finally:
            new.unlink(missing_ok=True)
        _sync_folder(path.parent)
    except OSError as exc:
        raise _unusable(path, exc) from exc


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _unusable(path: Path, exc: Exception) -> RemedyError:
    why = getattr(exc, "strerror", None) or str(exc)
    return RemedyError(
        f"{path} cannot be used ({why}): correct its permissions, or give another file",
        f"{path} 无法使用（{why}）：请修正其权限，或指定其他文件",
    )
