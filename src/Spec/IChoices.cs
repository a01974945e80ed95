using ShmCheck.Abi;

namespace ShmCheck.Spec;

/// <summary>Decides where Linux may choose. The checker answers from what the system did, the
/// explorer enumerates, the generator takes the first that is admissible.</summary>
public interface IChoices
{
    /// <summary>Identifier of a new segment.</summary>
    /// <param name="predicted">What the kernel's own rule gives (ipc/util.c:ipc_idr_alloc).</param>
    /// <param name="admissible">Whether an identifier is well-formed and not in use.</param>
    int Identifier(int predicted, Func<int, bool> admissible);

    /// <summary>Address of a new mapping that the caller did not place.</summary>
    /// <param name="room">What to find room for, and the room there is.</param>
    /// <returns>An admissible address.</returns>
    ulong Place(Room room);

    /// <summary>Pid of a new process or thread.</summary>
    /// <param name="predicted">The number after the last one given.</param>
    /// <param name="admissible">Whether a pid is free.</param>
    int Pid(int predicted, Func<int, bool> admissible);

    /// <summary>Whether an allocation of a kind that the specification does not count fails:
    /// bookkeeping memory, and the identifier of a segment.</summary>
    /// <param name="injection">The failure that the call carries.</param>
    bool Fails(Injection injection);
}

/// <summary>Room for a mapping in an address space.</summary>
/// <param name="Length">Bytes.</param>
/// <param name="Alignment">Bytes; a power of two.</param>
/// <param name="Lowest">The lowest admissible address.</param>
/// <param name="Highest">The highest admissible address.</param>
/// <param name="Admissible">Whether the mapping may start at an address.</param>
public readonly record struct Room(
    ulong Length, ulong Alignment, ulong Lowest, ulong Highest, Func<ulong, bool> Admissible);

/// <summary>Always the first: identifiers and pids as predicted, addresses by first fit from one
/// end of the address space; no allocation fails.</summary>
/// <param name="topDown">Addresses from the top, as Linux does; otherwise from the bottom.
/// </param>
public sealed class CanonicalChoices(bool topDown = true) : IChoices
{
    /// <inheritdoc/>
    public int Identifier(int predicted, Func<int, bool> admissible) => predicted;

    /// <inheritdoc/>
    public ulong Place(Room room) => topDown ? room.Highest : room.Lowest;

    /// <inheritdoc/>
    public int Pid(int predicted, Func<int, bool> admissible) => predicted;

    /// <inheritdoc/>
    public bool Fails(Injection injection) => false;
}
