"""Writes a CSV file with typed columns as Parquet and Arrow, with pyarrow.

    python columnar.py CSV NAME=TYPE[;NAME=TYPE ...] OUT ...

An OUT that ends in .arrow is an Arrow file, one in .dictionary.parquet has dictionary-encoded
text, any other is Parquet without dictionaries. Nothing is compressed, so that a search for a
value finds it.
"""

import sys

import pyarrow
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet

TYPES = {
    "int64": pyarrow.int64(),
    "string": pyarrow.string(),
    "date": pyarrow.date32(),
    "timestamp": pyarrow.timestamp("us"),
    "decimal(18,2)": pyarrow.decimal128(18, 2),
}


def main():
    source, columns, *outputs = sys.argv[1:]
    columns = dict(column.split("=") for column in columns.split(";"))
    types = {name: TYPES[type_name] for name, type_name in columns.items()}
    options = pyarrow.csv.ConvertOptions(column_types=types, strings_can_be_null=True)
    table = pyarrow.csv.read_csv(source, convert_options=options)
    for output in outputs:
        if output.endswith(".arrow"):
            pyarrow.feather.write_feather(table, output, compression="uncompressed")
        elif output.endswith(".dictionary.parquet"):
            coded = table
            for index, field in enumerate(table.schema):
                if field.type == pyarrow.string():
                    column = table.column(index).dictionary_encode()
                    coded = coded.set_column(index, field.name, column)
            pyarrow.parquet.write_table(coded, output, compression="none", use_dictionary=True)
        else:
            pyarrow.parquet.write_table(table, output, compression="none", use_dictionary=False)


main()
