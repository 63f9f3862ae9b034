"""The oldest Kafka that duband is used with: a year, restart and restore included, as in test_kafka.py."""
import os
import pathlib
import sys
import unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parent / "kafka"))
import broker as brokers  # noqa: E402
import test_kafka  # noqa: E402


class OldYear(test_kafka.OnBroker):
    version = os.environ.get("KAFKA_OLD", brokers.OLD_VERSION)
    test_outputs_are_those_of_simulate = test_kafka.Year.test_outputs_are_those_of_simulate


if __name__ == "__main__":
    unittest.main()
