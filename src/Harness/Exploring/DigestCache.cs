using System.Runtime.CompilerServices;

namespace ShmCheck.Harness.Exploring;

/// <summary>Digests of immutable objects: states share almost all of theirs with the states
/// before them. Keeps the latest ones.</summary>
/// <param name="digest">The digest of an object.</param>
internal sealed class DigestCache<T>(Func<T, NodeKey> digest)
    where T : class
{
    private const int Slots = 1 << 12;
    private readonly (T? Row, NodeKey Digest)[] _slots = new (T?, NodeKey)[Slots];

    public NodeKey Of(T row)
    {
        ref (T? Row, NodeKey Digest) slot =
            ref _slots[RuntimeHelpers.GetHashCode(row) & (Slots - 1)];
        if (!ReferenceEquals(slot.Row, row))
        {
            slot = (row, digest(row));
        }

        return slot.Digest;
    }
}
