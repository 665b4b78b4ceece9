"""A strategy of freqtrade that buys immediately and sells after six seconds."""

from datetime import timedelta
from typing import ClassVar

from freqtrade.strategy import IStrategy


class Always(IStrategy):
    timeframe = "1m"
    minimal_roi: ClassVar = {"0": 10}
    stoploss = -0.5
    startup_candle_count = 0

    def populate_indicators(self, dataframe, metadata):
        return dataframe

    def populate_entry_trend(self, dataframe, metadata):
        dataframe["enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        return dataframe

    def custom_exit(self, pair, trade, current_time, current_rate, current_profit, **kwargs):
        return "enough" if current_time - trade.open_date_utc > timedelta(seconds=6) else None
