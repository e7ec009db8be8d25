"""Cases of PyTorch modules."""

from torch.func import functional_call

from case import X, case


def layer(key, module, call, *inputs):
    """Inputs, then the module's state in its order."""
    module = module.double()
    state = module.state_dict()

    def fn(*given):
        values = {name: value for name, value in zip(state, given[len(inputs):])}
        run = lambda *args, **options: functional_call(module, values, args, options)
        result = call(run, *given[: len(inputs)])
        return [out for out in result if out is not None] if isinstance(result, tuple) else result

    case(key, fn, *inputs, *[X(*value.shape, low=-1, high=1) for value in state.values()])
