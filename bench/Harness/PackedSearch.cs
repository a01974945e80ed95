using System.Numerics;
using ShmCheck.Harness.Exploring;

namespace ShmCheck.Bench.Harness;

/// <summary>A state machine whose states are 128 bits.</summary>
internal interface IPackedModel
{
    /// <summary>The first state.</summary>
    NodeKey Start { get; }

    /// <summary>Writes the states that one step leads to.</summary>
    /// <returns>How many.</returns>
    int Successors(NodeKey state, Span<NodeKey> successors);
}

/// <summary>What a search found.</summary>
/// <param name="States">States.</param>
/// <param name="Transitions">Steps from all of them.</param>
/// <param name="Bytes">Memory of states and frontier at its greatest.</param>
internal readonly record struct SearchResult(long States, long Transitions, long Bytes);

/// <summary>Breadth-first search over packed states with the explorer's own set of nodes. A state
/// is its own key, scrambled one to one, so nothing is lost.</summary>
internal static class PackedSearch
{
    /// <summary>Successors that are collected before they are looked up: their places come from
    /// memory together.</summary>
    private const int Batch = 256;

    private const int MostSuccessors = 64;

    public static SearchResult Run<TModel>(TModel model)
        where TModel : struct, IPackedModel
    {
        var known = new NodeSet();
        var level = new List<NodeKey> { model.Start };
        var next = new List<NodeKey>();
        known.Add(Scramble(model.Start));
        long transitions = 0;
        long bytes = 0;
        var states = new NodeKey[Batch];
        var keys = new NodeKey[Batch];
        while (level.Count > 0)
        {
            int count = 0;
            foreach (NodeKey state in level)
            {
                count += model.Successors(state, states.AsSpan(count));
                if (count > Batch - MostSuccessors)
                {
                    transitions += count;
                    Add(known, states.AsSpan(0, count), keys, next);
                    count = 0;
                }
            }

            transitions += count;
            Add(known, states.AsSpan(0, count), keys, next);
            bytes = Math.Max(bytes, known.Bytes + (level.Capacity + next.Capacity) * 16L);
            (level, next) = (next, level);
            next.Clear();
        }

        return new SearchResult(known.Count, transitions, bytes);
    }

    private static void Add(
        NodeSet known, ReadOnlySpan<NodeKey> states, Span<NodeKey> keys, List<NodeKey> next)
    {
        for (int at = 0; at < states.Length; at++)
        {
            keys[at] = Scramble(states[at]);
        }

        _looked ^= known.Touch(keys[..states.Length]);
        for (int at = 0; at < states.Length; at++)
        {
            if (known.Add(keys[at]))
            {
                next.Add(states[at]);
            }
        }
    }

    private static ulong _looked;

    /// <summary>Three rounds of a Feistel network: one to one whatever the mixing is.</summary>
    private static NodeKey Scramble(NodeKey state)
    {
        ulong high = state.High ^ Mix(state.Low);
        ulong low = state.Low ^ Mix(high);
        high ^= Mix(low);
        return (high | low) != 0 ? new NodeKey(high, low)
            : throw new InvalidOperationException("this state has the key of a free place");
    }

    private static ulong Mix(ulong word)
    {
        word = (word + 1) * 0x9e3779b97f4a7c15;
        return BitOperations.RotateLeft(word ^ (word >> 32), 29) * 0xbf58476d1ce4e5b9;
    }
}
