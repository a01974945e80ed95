using System.Collections.Immutable;

namespace ShmCheck.Harness.Exploring;

/// <summary>Digests of the rows of one state, computed when they are first asked for: what it
/// leads to shares most of them. Rows of other states are not kept, for they die young.
/// </summary>
/// <param name="digest">The digest of a row.</param>
internal sealed class KnownDigests<T>(Func<T, NodeKey> digest)
    where T : class
{
    private readonly List<NodeKey> _digests = [];
    private ImmutableArray<T> _rows = [];

    /// <summary>From now on these are the rows.</summary>
    public void Use(ImmutableArray<T> rows)
    {
        _rows = rows;
        _digests.Clear();
        foreach (T _ in rows)
        {
            _digests.Add(default);
        }
    }

    public NodeKey Of(T row)
    {
        int at = 0;
        while (at < _rows.Length && !ReferenceEquals(_rows[at], row))
        {
            at++;
        }

        if (at == _rows.Length)
        {
            return digest(row);
        }

        if (_digests[at] == default)
        {
            _digests[at] = digest(row);
        }

        return _digests[at];
    }
}
