"""Money that stays true: monthly gifts, refunds, disputes, missed events, races and crashes."""
