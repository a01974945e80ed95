using System.Collections.Immutable;
using ShmCheck.Abi;

namespace ShmCheck.Harness.Shrinking;

/// <summary>The calls of a sequence without their handles: what a shorter sequence would be made
/// of. A shape becomes a call when each handle it uses is chosen among those that are bound.
/// </summary>
internal sealed class CallShapes
{
    private readonly ImmutableArray<Call> _shapes;

    public CallShapes(IEnumerable<Call> calls)
    {
        var blank = new BlankHandles();
        _shapes = [.. calls.Select(blank.Apply).Distinct()];
    }

    /// <summary>Every call of these shapes with bound handles. What a call makes gets the next
    /// number.</summary>
    public IEnumerable<Call> CallsFor(BoundHandles bound)
    {
        foreach (Call shape in _shapes)
        {
            var slots = new HandleSlots();
            slots.Apply(shape);
            foreach (ImmutableArray<int> choice in Choices(slots.Kinds, bound))
            {
                yield return new ChosenHandles(choice, bound).Apply(shape);
            }
        }
    }

    private static IEnumerable<ImmutableArray<int>> Choices(
        IEnumerable<char> kinds, BoundHandles bound)
    {
        IEnumerable<ImmutableArray<int>> choices = [[]];
        foreach (char kind in kinds)
        {
            choices = choices.SelectMany(
                sofar => bound.Numbers(kind).Select(number => sofar.Add(number)));
        }

        return choices;
    }

    /// <summary>Gives all handles of a kind one number.</summary>
    private sealed class BlankHandles : HandleMap
    {
        protected override int Map(AnyHandle handle, bool binds) => 1;
    }

    /// <summary>Lists the kinds of the handles that a call uses, in the order in which a map
    /// meets them.</summary>
    private sealed class HandleSlots : HandleMap
    {
        public List<char> Kinds { get; } = [];

        protected override int Map(AnyHandle handle, bool binds)
        {
            if (!binds)
            {
                Kinds.Add(handle.Kind);
            }

            return handle.Number;
        }
    }

    /// <summary>Puts chosen handles in the place of those that a shape uses.</summary>
    private sealed class ChosenHandles(ImmutableArray<int> choice, BoundHandles bound) : HandleMap
    {
        private int _next;

        protected override int Map(AnyHandle handle, bool binds) =>
            binds ? bound.Next(handle.Kind) : choice[_next++];
    }
}

/// <summary>The handles that are bound at a point of a sequence.</summary>
internal sealed class BoundHandles
{
    private readonly Dictionary<char, List<int>> _numbers;
    private readonly Dictionary<char, int> _next;

    /// <summary>Looks at the bindings of a sequence.</summary>
    /// <param name="bindings">What handles stand for.</param>
    /// <param name="calls">The length of the sequence, which has bound no more handles.</param>
    public BoundHandles(Bindings bindings, int calls)
    {
        int[] numbers = [.. Enumerable.Range(1, calls + 1)];
        _numbers = new()
        {
            ['p'] = [.. numbers.Where(n => bindings.TryResolve(new ProcessHandle(n), out _))],
            ['s'] = [.. numbers.Where(n => bindings.TryResolve(
                (SegmentRef)new SegmentHandle(n), out _))],
            ['a'] = [.. numbers.Where(n => bindings.TryResolve(
                (AddressRef)new MappingHandle(n), 1, out _))],
        };
        _next = _numbers.ToDictionary(
            known => known.Key, known => known.Value.DefaultIfEmpty(0).Max() + 1);
    }

    /// <summary>The numbers of the handles of a kind.</summary>
    public IReadOnlyList<int> Numbers(char kind) => _numbers[kind];

    /// <summary>The lowest number above them.</summary>
    public int Next(char kind) => _next[kind];
}
