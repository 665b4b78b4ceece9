"""The method eth_simulateV1: read the request here, and simulate it in the process for simulated calls."""

from dataclasses import dataclass
from typing import Any

import msgspec

from coinone.base.primitives.errors import InvalidInput, LimitExceeded
from coinone.interfaces.api.ethereum.calls.trials import archive_of, block_hashes, precompiles_at
from coinone.interfaces.api.ethereum.calls.worker import Desk
from coinone.interfaces.api.ethereum.context import Context
from coinone.interfaces.api.ethereum.json.errors import SERVER_ERROR, RpcError, from_input_error
from coinone.interfaces.api.ethereum.json.params import PENDING, block_id
from coinone.interfaces.api.ethereum.simulation.answer import block_answer
from coinone.interfaces.api.ethereum.simulation.plan import Plan, read_plan
from coinone.interfaces.api.ethereum.simulation.run import Simulation
from coinone.interfaces.api.ethereum.simulation.surroundings import ImportedSurroundings, OwnSurroundings
from coinone.interfaces.api.limits import RPC_ANSWER_BYTES_MAX
from coinone.node.imported.node import ImportedNetwork
from coinone.node.storage.past import after_block
from coinone.rules.chain.network import Network


@dataclass(frozen=True, slots=True)
class SimulationJob:
    network: Network | ImportedNetwork
    plan: Plan
    number: int  # of the block before the simulated ones


@dataclass(frozen=True, slots=True)
class Simulated:
    """The answer as JSON, or an error's code and message."""

    json: bytes = b""
    code: int = 0
    words: str = ""


async def simulate(context: Context, payload: Any, block: Any = None) -> msgspec.Raw:
    """eth_simulateV1. Blocks follow the newest one, or the given one."""
    network, wanted = context.backend.node.network, block_id(block)
    plan = read_plan(payload, network.chain_id)
    if wanted.tag == PENDING:
        raise RpcError(SERVER_ERROR, "a simulation begins after a block: pending is none yet")
    try:
        number = context.backend.reads.block_number(wanted)
    except RpcError as error:
        raise RpcError(
            SERVER_ERROR, error.message
        ) from error  # geth's code, which the method's own tests name
    done = await context.backend.trials.run_on_store(
        work, SimulationJob(network, plan, number), context.sender
    )
    if done.words:
        raise RpcError(done.code, done.words)
    return msgspec.Raw(done.json)


def work(job: SimulationJob, desk: Desk) -> Simulated:
    """Run a simulation in the process for simulated calls. A sender's mistake is returned as an error."""
    try:
        answer = _run(job, desk)
        encoded = msgspec.json.encode(answer)
        if len(encoded) > RPC_ANSWER_BYTES_MAX:
            raise LimitExceeded("answer too long: simulate less in one call", most=RPC_ANSWER_BYTES_MAX)
    except RpcError as error:
        return Simulated(code=error.code, words=error.message)
    except InvalidInput as error:
        return Simulated(code=from_input_error(error).code, words=str(error))
    return Simulated(encoded)


def _run(job: SimulationJob, desk: Desk) -> list[dict[str, Any]]:
    snapshot = desk.snapshot
    parent = archive_of(snapshot).header(job.number)
    assert parent is not None, "the block was found"
    simulation = Simulation(
        job.plan, parent, after_block(snapshot, job.number), _around(job, desk), job.network.chain_id,
        block_hashes(snapshot), desk.budget, desk.engine,
    )  # fmt: skip
    return [block_answer(block, job.plan.full) for block in simulation.run()]


def _around(job: SimulationJob, desk: Desk) -> ImportedSurroundings | OwnSurroundings:
    """The surroundings of the calls. Contracts read the exchange as of the block: simulated blocks have no batches."""
    if isinstance(job.network, ImportedNetwork):
        return ImportedSurroundings(job.network.rules, desk.budget, desk.engine)
    fork = job.network.fork
    return OwnSurroundings(fork, precompiles_at(job.number, fork, desk))
