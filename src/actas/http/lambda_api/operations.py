"""Which operation of the Lambda API a method and a path ask for. Pure.

Six are done here. The others are known by their names, so that who asks for one is refused as AWS refuses it.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from actas.http.lambda_api.errors import UnknownOperation


class Done(Enum):
    """What is done here."""

    INVOKE = "Invoke"
    STREAM = "InvokeWithResponseStream"
    LIST = "ListFunctions"
    GET = "GetFunction"
    CONFIGURATION = "GetFunctionConfiguration"
    POLICY = "GetPolicy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What is asked for."""

    action: str
    """As policies write it: ``lambda:InvokeFunction``."""
    done: Done | None
    function: str | None
    """The function's name as it stands in the path; None where the operation is about none."""


_HERE: Final = {one.value: one for one in Done}
_ACTIONS: Final = {"Invoke": "InvokeFunction", "InvokeWithResponseStream": "InvokeFunction"}
"""Where the action has another name than the operation (Service Authorization Reference)."""
_TABLE: Final = """
2014-11-13/functions/F/invoke-async POST InvokeAsync
2015-03-31/event-source-mappings POST CreateEventSourceMapping GET ListEventSourceMappings
2015-03-31/event-source-mappings/* DELETE DeleteEventSourceMapping GET GetEventSourceMapping
2015-03-31/event-source-mappings/* PUT UpdateEventSourceMapping
2015-03-31/functions POST CreateFunction GET ListFunctions
2015-03-31/functions/F DELETE DeleteFunction GET GetFunction
2015-03-31/functions/F/aliases POST CreateAlias GET ListAliases
2015-03-31/functions/F/aliases/* DELETE DeleteAlias GET GetAlias PUT UpdateAlias
2015-03-31/functions/F/code PUT UpdateFunctionCode
2015-03-31/functions/F/configuration GET GetFunctionConfiguration PUT UpdateFunctionConfiguration
2015-03-31/functions/F/invocations POST Invoke
2015-03-31/functions/F/policy POST AddPermission GET GetPolicy
2015-03-31/functions/F/policy/* DELETE RemovePermission
2015-03-31/functions/F/versions GET ListVersionsByFunction POST PublishVersion
2016-08-19/account-settings GET GetAccountSettings
2017-03-31/tags/* GET ListTags POST TagResource DELETE UntagResource
2017-10-31/functions/F/concurrency DELETE DeleteFunctionConcurrency PUT PutFunctionConcurrency
2018-10-31/layers GET ListLayers
2018-10-31/layers/*/versions GET ListLayerVersions POST PublishLayerVersion
2018-10-31/layers/*/versions/* DELETE DeleteLayerVersion GET GetLayerVersion
2018-10-31/layers/*/versions/*/policy POST AddLayerVersionPermission GET GetLayerVersionPolicy
2018-10-31/layers/*/versions/*/policy/* DELETE RemoveLayerVersionPermission
2019-09-25/functions/F/event-invoke-config DELETE DeleteFunctionEventInvokeConfig GET GetFunctionEventInvokeConfig
2019-09-25/functions/F/event-invoke-config PUT PutFunctionEventInvokeConfig POST UpdateFunctionEventInvokeConfig
2019-09-25/functions/F/event-invoke-config/list GET ListFunctionEventInvokeConfigs
2019-09-30/functions/F/concurrency GET GetFunctionConcurrency
2019-09-30/functions/F/provisioned-concurrency DELETE DeleteProvisionedConcurrencyConfig
2019-09-30/functions/F/provisioned-concurrency GET GetProvisionedConcurrencyConfig PUT PutProvisionedConcurrencyConfig
2020-04-22/code-signing-configs POST CreateCodeSigningConfig GET ListCodeSigningConfigs
2020-04-22/code-signing-configs/* DELETE DeleteCodeSigningConfig GET GetCodeSigningConfig PUT UpdateCodeSigningConfig
2020-04-22/code-signing-configs/*/functions GET ListFunctionsByCodeSigningConfig
2020-06-30/functions/F/code-signing-config DELETE DeleteFunctionCodeSigningConfig GET GetFunctionCodeSigningConfig
2020-06-30/functions/F/code-signing-config PUT PutFunctionCodeSigningConfig
2021-07-20/functions/F/runtime-management-config GET GetRuntimeManagementConfig PUT PutRuntimeManagementConfig
2021-10-31/functions/F/url POST CreateFunctionUrlConfig DELETE DeleteFunctionUrlConfig
2021-10-31/functions/F/url GET GetFunctionUrlConfig PUT UpdateFunctionUrlConfig
2021-10-31/functions/F/urls GET ListFunctionUrlConfigs
2021-11-15/functions/F/response-streaming-invocations POST InvokeWithResponseStream
2024-08-31/functions/F/recursion-config GET GetFunctionRecursionConfig PUT PutFunctionRecursionConfig
2025-11-30/capacity-providers POST CreateCapacityProvider GET ListCapacityProviders
2025-11-30/capacity-providers/* DELETE DeleteCapacityProvider GET GetCapacityProvider PUT UpdateCapacityProvider
2025-11-30/capacity-providers/*/function-versions GET ListFunctionVersionsByCapacityProvider
2025-11-30/functions/F/function-scaling-config GET GetFunctionScalingConfig PUT PutFunctionScalingConfig
2025-12-01/durable-execution-callbacks/*/fail POST SendDurableExecutionCallbackFailure
2025-12-01/durable-execution-callbacks/*/heartbeat POST SendDurableExecutionCallbackHeartbeat
2025-12-01/durable-execution-callbacks/*/succeed POST SendDurableExecutionCallbackSuccess
2025-12-01/durable-executions/* DELETE DeleteDurableExecution GET GetDurableExecution
2025-12-01/durable-executions/*/checkpoint POST CheckpointDurableExecution
2025-12-01/durable-executions/*/history GET GetDurableExecutionHistory
2025-12-01/durable-executions/*/pause POST PauseDurableExecution
2025-12-01/durable-executions/*/resume POST ResumeDurableExecution
2025-12-01/durable-executions/*/state GET GetDurableExecutionState
2025-12-01/durable-executions/*/stop POST StopDurableExecution
2025-12-01/functions/F/durable-executions GET ListDurableExecutionsByFunction
2026-07-09/resource-policy/* DELETE DeleteResourcePolicy GET GetResourcePolicy PUT PutResourcePolicy
"""
"""The operations of botocore's model: a path, and what each method of it is; ``F`` is a function, ``*`` anything."""


def _read() -> dict[tuple[str, ...], dict[str, str]]:
    found: dict[tuple[str, ...], dict[str, str]] = {}
    for line in _TABLE.split("\n")[1:-1]:
        path, *words = line.split(" ")
        found.setdefault(tuple(path.split("/")), {}).update(zip(words[::2], words[1::2], strict=True))
    return found


_PATHS: Final = _read()
_ANY: Final = frozenset({"F", "*"})
DATES: Final = tuple(sorted({path[0] for path in _PATHS}))
"""The first segments of the Lambda API's paths."""


def operation(method: str, segments: tuple[str, ...]) -> Operation:
    """Find the operation that the decoded *segments* of a path name, or raise `UnknownOperation`."""
    for path, methods in _PATHS.items():
        if len(path) == len(segments) and all(
            mine in _ANY or mine == theirs for mine, theirs in zip(path, segments, strict=True)
        ):
            if (name := methods.get(method)) is None:
                break
            return Operation(
                action=f"lambda:{_ACTIONS.get(name, name)}",
                done=_HERE.get(name),
                function=segments[2] if "F" in path else None,
            )
    raise UnknownOperation
