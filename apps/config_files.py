"""Which mapping, policy, words, rules and profiles count: a named file, else the user's, else the built-in one."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from ringfence.core.config.clocks import Clocks, read_clocks
from ringfence.core.config.evidence_rules import parse_evidence_rules
from ringfence.core.config.history_profile import HistoryProfile, parse_history_profile
from ringfence.core.config.mapping import CrmMapping, parse_mapping, read_mapping
from ringfence.core.config.opt_out_words import OptOutWordFile, parse_opt_out_words
from ringfence.core.config.policy import read_policy
from ringfence.core.config.spelling import did_you_mean
from ringfence.core.errors import FileError, MappingError, SettingsError, UsageError
from ringfence.core.model.evidence_rules import EvidenceRules
from ringfence.core.model.policy import Policy

from .registry import crm_plugins


def find_mapping(folder: Path | None, account: str, crm: str, file: Path | None = None) -> CrmMapping:
    """Return the mapping of an account: the given file, else that of the folder, else the built-in one of its CRM.

    In the folder, the account's own goes before that of its CRM. Raises SettingsError where the folder is none,
    FileError, and MappingError for a mapping that is wrong or of another CRM.
    """
    file = file or _find_file(folder, account, crm)
    if file is not None:
        mapping, where = read_mapping(file), str(file)
    else:
        where = f"{crm}.yaml"
        mapping = parse_mapping(resources.files("ringfence.mappings").joinpath(where).read_text("utf-8"), where)

    if mapping.crm != crm:
        hint = "" if mapping.crm in crm_plugins() else did_you_mean(mapping.crm, crm_plugins())
        raise MappingError(f"The mapping {where} is for {mapping.crm!r}, not {crm}{hint}.", "Correct its first line.")
    return mapping


def _find_file(folder: Path | None, account: str, crm: str) -> Path | None:
    if folder is None:
        return None
    if not folder.is_dir():
        raise SettingsError(f"RINGFENCE_MAPPINGS is not a folder: {folder}.", "Create it or unset the variable.")

    candidates = (folder / f"{name}.yaml" for name in (account, crm))
    return next((each for each in candidates if each.is_file()), None)


def find_policy(folder: Path | None, wanted: str) -> Policy:
    """Return a policy by preset name or file.

    A preset in the folder wins over the built-in one of the same name. Raises SettingsError for an unknown preset,
    FileError or MappingError for a file.
    """
    if wanted.endswith((".yaml", ".yml")) or "/" in wanted:
        return read_policy(Path(wanted))

    folders = [folder] if folder else []
    with resources.as_file(resources.files("ringfence.mappings")) as built_in:
        for each in (*folders, built_in):
            if (file := each / f"{wanted}.policy.yaml").is_file():
                return read_policy(file)
        presets = [path.name.removesuffix(".policy.yaml") for path in built_in.glob("*.policy.yaml")]

    raise SettingsError(
        f"There is no policy {wanted!r}{did_you_mean(wanted, presets)}.", f"Presets: {', '.join(presets)}."
    )


def find_clocks(folder: Path | None) -> Clocks:
    """Return the clocks of the law: the built-in files, but those of the same name in ``clocks`` of the user's folder.

    Raises FileError or MappingError.
    """
    built_in = resources.files("ringfence.mappings").joinpath("clocks")
    texts = {file.name: file.read_text("utf-8") for file in built_in.iterdir() if file.name.endswith(".yaml")}

    for path in sorted((folder / "clocks").glob("*.yaml")) if folder else ():
        try:
            texts[path.name] = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise FileError(f"The clocks {path} cannot be read.", "Check its rights; it is UTF-8 text.") from error
    return read_clocks(sorted(texts.items()))


def find_opt_out_words(folder: Path | None) -> OptOutWordFile:
    """Return the words by which people opt out: the built-in file, or that of the same name in ``words`` of the folder.

    Raises FileError or MappingError.
    """
    name = "opt_out_words.yaml"
    path = folder / "words" / name if folder else None
    if path is None or not path.is_file():
        built_in = resources.files("ringfence.mappings").joinpath("words", name)
        return parse_opt_out_words(built_in.read_text("utf-8"), name)
    try:
        return parse_opt_out_words(path.read_text("utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"The words {path} cannot be read.", "Check its rights; it is UTF-8 text.") from error


def find_evidence_rules(folder: Path | None) -> EvidenceRules:
    """Return how calls and messages are weighed: the built-in file, or that of the same name in the folder.

    Raises FileError or MappingError.
    """
    name = "evidence.yaml"
    path = folder / name if folder else None
    if path is None or not path.is_file():
        return parse_evidence_rules(resources.files("ringfence.mappings").joinpath(name).read_text("utf-8"), name)
    try:
        return parse_evidence_rules(path.read_text("utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"The rules {path} cannot be read.", "Check its rights; it is UTF-8 text.") from error


def find_history_profile(folder: Path | None, name: str) -> HistoryProfile:
    """Return how a file of calls or messages is read: the user's profile of that name, else the built-in one.

    Raises UsageError for a name that no profile has, FileError or MappingError for a file.
    """
    own = sorted((folder / "history").glob("*.yaml")) if folder else []
    built_in = resources.files("ringfence.mappings").joinpath("history")
    names = {file.name.removesuffix(".yaml") for file in built_in.iterdir() if file.name.endswith(".yaml")}
    if path := next((each for each in own if each.stem == name), None):
        try:
            return parse_history_profile(path.read_text("utf-8"), str(path))
        except (OSError, UnicodeDecodeError) as error:
            raise FileError(f"The profile {path} cannot be read.", "Check its rights; it is UTF-8 text.") from error

    if name not in names:
        every = sorted(names | {each.stem for each in own})
        raise UsageError(f"There is no profile {name!r}{did_you_mean(name, every)}.", f"There are: {', '.join(every)}.")
    return parse_history_profile(built_in.joinpath(f"{name}.yaml").read_text("utf-8"), f"{name}.yaml")
