"""Answers about features that this exchange does not have: well-typed and empty, so that clients go on.

Each line is a request type of the anchor's API. A client that lists, say, its vaults on start must get an
empty list and not an error. A feature that arrives loses its line here.
"""

from typing import Any

Json = Any

ABSENT: dict[str, Json] = {
    # vaults and sub-accounts
    "subAccounts": None,
    "subAccounts2": None,
    "userVaultEquities": [],
    "vaultSummaries": [],
    "leadingVaults": [],
    "vaultDetails": None,
    # multi-sig
    "userToMultiSigSigners": None,
    # TWAP orders
    "twapHistory": [],
    "userTwapSliceFills": [],
    "userTwapSliceFillsByTime": [],
    # markets deployed by others
    "perpDexs": [None],
    "perpsAtOpenInterestCap": [],
    "perpDexLimits": None,
    "perpDexStatus": {"totalNetDeposit": "0.0"},
    "perpDeployAuctionStatus": None,
    "spotDeployState": {"states": [], "gasAuction": None},
    "spotPairDeployAuctionStatus": None,
    "tokenDetails": None,
    "alignedQuoteTokenInfo": None,
    "outcomeTemplates": [],
    "settledOutcome": None,
    "outcomeMeta": {"outcomes": [], "questions": []},
    "perpAnnotation": None,
    "perpCategories": [],
    "perpConciseAnnotations": [],
    "maxMarketOrderNtls": [],
    # staking
    "delegations": [],
    "delegatorSummary": {
        "delegated": "0.0",
        "undelegated": "0.0",
        "totalPendingWithdrawal": "0.0",
        "nPendingWithdrawals": 0,
    },
    "delegatorHistory": [],
    "delegatorRewards": [],
    "validatorSummaries": [],
    "validatorL1Votes": [],
    # lending
    "borrowLendUserState": None,
    "borrowLendReserveState": None,
    "allBorrowLendReserveStates": [],
    "userBorrowLendInterest": [],
    # settings of an account that has one balance for everything
    "userAbstraction": "unifiedAccount",
    "userDexAbstraction": False,
    "isVip": False,
    "legalCheck": {"ipAllowed": True, "acceptedTerms": True, "userAllowed": True},
    "gossipRootIps": [],
    "gossipPriorityAuctionStatus": [[], []],
    "liquidatable": [],
}
