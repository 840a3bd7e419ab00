"""CPUID feature words: which bit has which name (SDM vol. 2, CPUID; APM vol. 3, appendix E).

The names are QEMU's, as a user writes them after ``-cpu MODEL,+``. Letter case, ``-``, ``_`` and ``.`` make no
difference.
"""

from __future__ import annotations

# fmt: off
WORDS: dict[str, tuple[str, ...]] = {
    "1.edx": (
        "fpu", "vme", "de", "pse", "tsc", "msr", "pae", "mce",
        "cx8", "apic", "", "sep", "mtrr", "pge", "mca", "cmov",
        "pat", "pse36", "pn", "clflush", "", "ds", "acpi", "mmx",
        "fxsr", "sse", "sse2", "ss", "ht", "tm", "ia64", "pbe",
    ),
    "1.ecx": (
        "pni", "pclmulqdq", "dtes64", "monitor", "ds_cpl", "vmx", "smx", "est",
        "tm2", "ssse3", "cid", "", "fma", "cx16", "xtpr", "pdcm",
        "", "pcid", "dca", "sse4.1", "sse4.2", "x2apic", "movbe", "popcnt",
        "tsc-deadline", "aes", "xsave", "osxsave", "avx", "f16c", "rdrand", "hypervisor",
    ),
    "7.ebx": (
        "fsgsbase", "tsc_adjust", "", "bmi1", "hle", "avx2", "", "smep",
        "bmi2", "erms", "invpcid", "rtm", "", "", "mpx", "",
        "avx512f", "", "rdseed", "adx", "smap", "", "pcommit", "clflushopt",
        "clwb", "", "avx512pf", "avx512er", "avx512cd", "", "", "",
    ),
    "80000001.edx": (
        "", "", "", "", "", "", "", "",
        "", "", "", "syscall", "", "", "", "",
        "", "", "", "mp", "nx", "", "mmxext", "",
        "", "fxsr_opt", "pdpe1gb", "rdtscp", "", "lm", "3dnowext", "3dnow",
    ),
    "80000001.ecx": (
        "lahf_lm", "cmp_legacy", "svm", "extapic", "cr8legacy", "abm", "sse4a", "misalignsse",
        "3dnowprefetch", "osvw", "ibs", "xop", "skinit", "wdt", "", "lwp",
        "fma4", "tce", "", "nodeid_msr", "", "tbm", "topoext", "perfctr_core",
        "perfctr_nb", "", "", "", "", "", "", "",
    ),
}
# fmt: on

ALIASES = {
    "sse3": "pni",
    "pclmuldq": "pclmulqdq",
    "dscpl": "ds_cpl",
    "i64": "lm",
    "xd": "nx",
    "ffxsr": "fxsr_opt",
    "cr8_legacy": "cr8legacy",
    "clfsh": "clflush",
}

#: Bits of leaf 1 EDX that AMD processors repeat in leaf 0x80000001 EDX (APM vol. 3, E.4.2).
AMD_REPEATED = 0x0183F3FF

#: What this target implements. A model's other bits are dropped without a word, as they describe the real processor.
SUPPORTED_NAMES = (
    "fpu de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush acpi mmx fxsr sse sse2 ss "
    "pni monitor ssse3 cx16 sse4.1 sse4.2 movbe popcnt hypervisor "
    "syscall nx mmxext pdpe1gb rdtscp lm lahf_lm cr8legacy abm 3dnowprefetch "
    "fsgsbase smep smap erms"
)


def canonical(name: str) -> str:
    """Return `name` in the spelling that names are compared in."""
    return name.lower().replace("-", "_").replace(".", "_")


BITS: dict[str, tuple[str, int]] = {
    canonical(name): (word, 1 << bit) for word, names in WORDS.items() for bit, name in enumerate(names) if name
}
BITS |= {canonical(alias): BITS[canonical(name)] for alias, name in ALIASES.items()}


def words_of(names: str) -> dict[str, int]:
    """Return the feature words with the bits of `names` set.

    :raise KeyError: a name is unknown.
    """
    result = dict.fromkeys(WORDS, 0)
    for name in names.split():
        word, bit = BITS[canonical(name)]
        result[word] |= bit
    return result


SUPPORTED = words_of(SUPPORTED_NAMES)
