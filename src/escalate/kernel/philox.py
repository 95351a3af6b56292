"""`words.block` for the compiled kernel: the processor multiplies 64 by 64 bits at once, and Python cannot say so."""

from __future__ import annotations

from typing import Any

from .words import KEY_GROWS_BY, MULTIPLIERS, ROUNDS


def block() -> Any:
    """Return an intrinsic that does what `words.block` does, on signed numbers with the same bits."""
    from llvmlite import ir  # type: ignore[import-untyped]
    from numba import types
    from numba.extending import intrinsic

    word, wide = ir.IntType(64), ir.IntType(128)

    def multiplied(builder: Any, number: Any, by: int) -> tuple[Any, Any]:
        """Return the upper and the lower half of a product."""
        product = builder.mul(builder.zext(number, wide), wide(by))
        return builder.trunc(builder.lshr(product, wide(64)), word), builder.trunc(product, word)

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        key, (first, third) = list(arguments[:2]), arguments[2:]
        counter = [first, word(0), third, word(0)]
        for _ in range(ROUNDS):
            (upper, lower), (upper_2, lower_2) = (
                multiplied(builder, counter[2 * half], MULTIPLIERS[half]) for half in (0, 1)
            )
            counter = [
                builder.xor(builder.xor(upper_2, counter[1]), key[0]), lower_2,
                builder.xor(builder.xor(upper, counter[3]), key[1]), lower,
            ]  # fmt: skip
            key = [builder.add(key[half], word(KEY_GROWS_BY[half])) for half in (0, 1)]
        return context.make_tuple(builder, signature.return_type, counter)

    @intrinsic
    def block(typingcontext: Any, key_0: Any, key_1: Any, first: Any, third: Any) -> Any:
        """Return the words of a block."""
        whole: Any = types.int64
        of_four: Any = types.UniTuple
        return of_four(whole, 4)(whole, whole, whole, whole), codegen

    return block
