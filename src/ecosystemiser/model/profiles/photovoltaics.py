"""Yield of a photovoltaic plant from weather, by pvlib's published models, with results kept on disk."""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from contextlib import suppress
from datetime import timedelta, timezone
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecosystemiser.model.profiles.weather_year import Weather

__all__ = ["compute_pv_yield", "pv_cache_folder", "pv_yield"]

_MODEL = "spa-haydavies-physical-sapm-pvwatts/1"
"""Names the chain of models below in the cache's keys: count up when it changes."""

_ALBEDO = 0.2  # pvlib.albedo.SURFACE_ALBEDOS: grass 0.20, urban 0.18
_DIGEST_BYTES = 32  # SHA-256


def pv_yield(
    weather: Weather,
    tilt_deg: float,
    azimuth_deg: float,
    *,
    losses: float = 0.14,
    inverter_efficiency: float = 0.96,
    temperature_coefficient_per_k: float = -0.004,
) -> NDArray[np.float64]:
    """Return the AC output of 1 kW of modules in each hour of the weather's year. [kW/kWp] (8760,)

    `tilt_deg` is 0 for flat and 90 for upright, `azimuth_deg` 90 for east and 180 for south; `losses` is the
    fraction lost between module and inverter (soiling, mismatch, wiring, ageing), `inverter_efficiency` the
    nominal one, `temperature_coefficient_per_k` the change of module power per kelvin above 25 degC.
    At night the yield is 0. The inverter is as large as the modules.

    The result comes from `compute_pv_yield` or from a file that an earlier call with the same numbers left
    in the user's cache folder; the array is read-only. A folder that cannot be written and a damaged file
    cost time, nothing else.
    """
    plant = (tilt_deg, azimuth_deg, losses, inverter_efficiency, temperature_coefficient_per_k)
    file = pv_cache_folder() / f"{_key(weather, plant)}.npy"
    values = _read_cached(file, len(weather.ghi_w_m2))
    if values is None:
        values = compute_pv_yield(
            weather,
            tilt_deg,
            azimuth_deg,
            losses=losses,
            inverter_efficiency=inverter_efficiency,
            temperature_coefficient_per_k=temperature_coefficient_per_k,
        )
        with suppress(OSError):
            _write_cached(file, values)
    values.setflags(write=False)
    return values


def compute_pv_yield(
    weather: Weather,
    tilt_deg: float,
    azimuth_deg: float,
    *,
    losses: float = 0.14,
    inverter_efficiency: float = 0.96,
    temperature_coefficient_per_k: float = -0.004,
) -> NDArray[np.float64]:
    """Return what `pv_yield` returns, computed anew. [kW/kWp] (8760,)

    The chain, at the sun's position in the middle of each hour:

    - sun: NREL's solar position algorithm [1]; irradiance in an hour whose middle is night counts as diffuse
    - tilted plane: Hay and Davies [2], ground albedo 0.2
    - reflection of the beam at the glass: physical model of De Soto et al. [3]
    - cell temperature: Sandia model, close roof mount, glass-glass [4]
    - module power and inverter: PVWatts version 5 [5], whose default losses of 14 % are ours

    References
    ----------
    [1] I. Reda, A. Andreas, Solar Energy 76(5), 577-589 (2004), doi:10.1016/j.solener.2003.12.003
    [2] J. E. Hay, J. A. Davies, Proc. First Canadian Solar Radiation Data Workshop, 59 (1980)
    [3] W. De Soto, S. A. Klein, W. A. Beckman, Solar Energy 80(1), 78-88 (2006),
        doi:10.1016/j.solener.2005.06.010
    [4] D. L. King, W. E. Boyson, J. A. Kratochvil, SAND2004-3535, Sandia (2004), doi:10.2172/919131
    [5] A. P. Dobos, NREL/TP-6A20-62641 (2014), doi:10.2172/1158421
    """
    import pvlib

    sun = _sun(weather)
    plane = _plane_of_array(weather, sun, tilt_deg, azimuth_deg)
    mount = pvlib.temperature.TEMPERATURE_MODEL_PARAMETERS["sapm"]["close_mount_glass_glass"]
    cell_c = pvlib.temperature.sapm_cell(plane, weather.temperature_c, weather.wind_speed_m_s, **mount)
    module_kw = pvlib.pvsystem.pvwatts_dc(plane, cell_c, 1.0, temperature_coefficient_per_k)
    dc_kw = np.maximum(module_kw, 0.0) * (1.0 - losses)
    ac_kw = pvlib.inverter.pvwatts(dc_kw, 1.0, inverter_efficiency)
    values: NDArray[np.float64] = np.where(weather.ghi_w_m2 > 0, ac_kw, 0.0)
    return values


def _sun(weather: Weather) -> dict[str, NDArray[np.float64]]:
    """Return zenith, azimuth [deg] and extraterrestrial irradiance [W/m2] in the middle of each hour. (8760,)

    Typical years have no year of their own; 2018 stands for it. The sun of other years differs by less than
    half a degree.
    """
    import pandas as pd
    import pvlib

    zone = timezone(timedelta(hours=weather.utc_offset_h))
    middles = pd.date_range("2018-01-01T00:30", periods=len(weather.ghi_w_m2), freq="h", tz=zone)
    position = pvlib.solarposition.get_solarposition(middles, weather.latitude, weather.longitude)
    return {
        "zenith": position["apparent_zenith"].to_numpy(),
        "azimuth": position["azimuth"].to_numpy(),
        "extra": pvlib.irradiance.get_extra_radiation(middles.day_of_year.to_numpy()),
    }


def _plane_of_array(
    weather: Weather, sun: dict[str, NDArray[np.float64]], tilt_deg: float, azimuth_deg: float
) -> NDArray[np.float64]:
    """Return the irradiance that passes the glass of the tilted modules. [W/m2] (8760,)"""
    from pvlib import iam, irradiance

    is_up = sun["zenith"] < 90.0
    dni = np.where(is_up, weather.dni_w_m2, 0.0)
    incidence = irradiance.aoi(tilt_deg, azimuth_deg, sun["zenith"], sun["azimuth"])
    beam = dni * np.maximum(np.cos(np.radians(incidence)), 0.0) * iam.physical(incidence)
    sky = irradiance.haydavies(
        tilt_deg, azimuth_deg, weather.dhi_w_m2, dni, sun["extra"], sun["zenith"], sun["azimuth"]
    )
    ground = irradiance.get_ground_diffuse(tilt_deg, weather.ghi_w_m2, _ALBEDO)
    return np.asarray(beam + sky + ground, dtype=np.float64)


def pv_cache_folder() -> Path:
    """Return the folder of kept yields: `ecosystemiser/pv` in $XDG_CACHE_HOME, else in ~/.cache."""
    stated = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(stated) if Path(stated).is_absolute() else Path("~/.cache").expanduser()
    return base / "ecosystemiser" / "pv"


def _key(weather: Weather, plant: tuple[float, ...]) -> str:
    """Return the name of the result: a hash of all that goes into it."""
    numbers = (weather.latitude, weather.longitude, weather.utc_offset_h, *plant)
    digest = hashlib.sha256(f"{_MODEL} pvlib {version('pvlib')}".encode())
    digest.update(np.asarray(numbers, dtype="<f8").tobytes())
    for series in (
        weather.ghi_w_m2,
        weather.dni_w_m2,
        weather.dhi_w_m2,
        weather.temperature_c,
        weather.wind_speed_m_s,
    ):
        digest.update(np.ascontiguousarray(series, dtype="<f8").tobytes())
    return digest.hexdigest()


def _read_cached(file: Path, hours: int) -> NDArray[np.float64] | None:
    """Return the kept result, or None if there is none or its checksum does not fit."""
    try:
        content = file.read_bytes()
    except OSError:
        return None
    body, digest = content[:-_DIGEST_BYTES], content[-_DIGEST_BYTES:]
    if hashlib.sha256(body).digest() != digest:
        return None
    values = np.load(io.BytesIO(body), allow_pickle=False)
    return values if values.shape == (hours,) and values.dtype == np.float64 else None


def _write_cached(file: Path, values: NDArray[np.float64]) -> None:
    """Keep `values`, their checksum behind them, so that a reader sees the whole file or none."""
    body = io.BytesIO()
    np.save(body, values, allow_pickle=False)
    content = body.getvalue() + hashlib.sha256(body.getvalue()).digest()
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as target:
            target.write(content)
        Path(name).replace(file)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
