"""Tariffs: what a person writes about a supplier's bill, prices by hour, and the meters that gather over months."""

from ecosystemiser.model.tariffs.fields import ElectricityTariff, EnergyTariff, Tariff, WaterTariff
from ecosystemiser.model.tariffs.hours import steps_within, time_of_use_prices
from ecosystemiser.model.tariffs.supply import Ask, Supply, supply_of

__all__ = [
    "Ask",
    "ElectricityTariff",
    "EnergyTariff",
    "Supply",
    "Tariff",
    "WaterTariff",
    "steps_within",
    "supply_of",
    "time_of_use_prices",
]
