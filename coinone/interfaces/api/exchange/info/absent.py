"""Answers for features that this exchange does not have: well-typed and empty, so that clients continue.

Each is a request type of Hyperliquid's API. A client that lists, say, its vaults at the start must get an empty list
and not an error. When a feature is added, its line here is removed.
"""

from coinone.interfaces.api.exchange.info.sources import Answered, InfoType, Json, Request, Sources

USER_ABSTRACTION = "unifiedAccount"  # one balance for everything


def _absent(about: str, **answers: Json) -> tuple[InfoType, ...]:
    """Request types of one absent feature."""
    return tuple(_constant(name, answer, about) for name, answer in answers.items())


def _constant(name: str, answer: Json, about: str) -> InfoType:
    async def handler(sources: Sources, request: Request) -> Json:
        return answer

    return InfoType(name, Answered.EMPTY, handler, about)


ABSENT = (
    *_absent(
        "vaults and sub-accounts",
        subAccounts=None,
        subAccounts2=None,
        userVaultEquities=[],
        vaultSummaries=[],
        leadingVaults=[],
        vaultDetails=None,
    ),
    *_absent("multi-sig", userToMultiSigSigners=None),
    *_absent("TWAP orders", twapHistory=[], userTwapSliceFills=[], userTwapSliceFillsByTime=[]),
    *_absent(
        "markets deployed by others",
        perpDexs=[None],
        perpsAtOpenInterestCap=[],
        perpDexLimits=None,
        perpDexStatus={"totalNetDeposit": "0.0"},
        perpDeployAuctionStatus=None,
        spotDeployState={"states": [], "gasAuction": None},
        spotPairDeployAuctionStatus=None,
        tokenDetails=None,
        alignedQuoteTokenInfo=None,
        outcomeTemplates=[],
        settledOutcome=None,
        outcomeMeta={"outcomes": [], "questions": []},
        perpAnnotation=None,
        perpCategories=[],
        perpConciseAnnotations=[],
        maxMarketOrderNtls=[],
    ),
    *_absent(
        "staking",
        delegations=[],
        delegatorSummary={
            "delegated": "0.0",
            "undelegated": "0.0",
            "totalPendingWithdrawal": "0.0",
            "nPendingWithdrawals": 0,
        },
        delegatorHistory=[],
        delegatorRewards=[],
        validatorSummaries=[],
        validatorL1Votes=[],
    ),
    *_absent(
        "lending",
        borrowLendUserState=None,
        borrowLendReserveState=None,
        allBorrowLendReserveStates=[],
        userBorrowLendInterest=[],
    ),
    *_absent(
        "settings that are the same for every account",
        userAbstraction=USER_ABSTRACTION,
        userDexAbstraction=False,
        isVip=False,
        legalCheck={"ipAllowed": True, "acceptedTerms": True, "userAllowed": True},
    ),
    *_absent(
        "the network of nodes, and lists of accounts in danger",
        gossipRootIps=[],
        gossipPriorityAuctionStatus=[[], []],
        liquidatable=[],
    ),
)
