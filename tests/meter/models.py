"""The models of meters, by the names they have here and in the simulator."""

from collections.abc import Mapping
from types import MappingProxyType

# The simulator's name of each of the integration's models.
NAMES: Mapping[str, str] = MappingProxyType(
    {
        "saia_ale3": "ale3",
        "saia_ale3_one_way": "ale3_one_way",
        "saia_ald1": "ald1",
        "saia_ald1_one_way": "ald1_one_way",
        "finder_7e23": "finder_7e23",
        "eastron_sdm120": "sdm120",
        "eastron_sdm230": "sdm230",
        "eastron_sdm72": "sdm72",
        "eastron_sdm72_v2": "sdm72_v2",
        "eastron_sdm630": "sdm630",
        "abb_b21": "abb_b21",
        "abb_b23": "abb_b23",
        "abb_b24": "abb_b24",
        "gavazzi_em112": "em112",
        "gavazzi_em340": "em340",
        "gavazzi_em24": "em24",
        "gavazzi_em24_e1": "em24_e1",
        "orno_we504": "or_we_504",
        "orno_we514": "or_we_514",
        "orno_we516": "or_we_516",
        "dzg_dvh4013": "dvh4013",
        "schneider_iem3150": "iem3150",
        "schneider_iem3155": "iem3155",
        "siemens_pac2200": "pac2200",
        "finder_7m24": "finder_7m24",
        "finder_7m38": "finder_7m38",
    }
)
# The integration's name of each of the simulator's models.
OURS: Mapping[str, str] = MappingProxyType({sim: ours for ours, sim in NAMES.items()})
