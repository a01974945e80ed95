using System.Collections;

namespace ShmCheck.Harness.Exploring;

/// <summary>Tells which calls need not be made at a node, because the path that leads there could
/// have made them one call earlier, and the call that it made instead touches nothing that they
/// touch: both orders end in the same node, and the other order is explored.</summary>
/// <remarks>
/// A plain form of sleep sets (P. Godefroid): they leave out transitions, and no states. A call t
/// sleeps at a node n behind the call a that led there from m only when it comes before a in an
/// order of the calls in which names have no part (<see cref="ScopeCall.Rank"/>). That t leads
/// from n to a node that is found, and no deeper than if t were made, follows by induction on the
/// level and, within a level, from the highest rank down: t leads from m, one level above, to a
/// node that is found, of n's level or above; and a leads from there to the node in question,
/// because a is made there, or sleeps, at this level and with a higher rank than t, or above.
/// Calls that sleep at m do not sleep at n for that reason alone: the induction would not hold.
/// </remarks>
internal sealed class SleepSets
{
    private readonly Scope _scope;
    private readonly ScopeView _view;
    private readonly ulong[] _touched;
    private readonly BitArray _asleep;
    private int _parent = -1;

    public SleepSets(Scope scope)
    {
        _scope = scope;
        _view = new ScopeView(scope.Bounds, scope.Machine);
        _touched = new ulong[scope.Alphabet.Length];
        _asleep = new BitArray(scope.Alphabet.Length);
    }

    /// <summary>The calls that sleep where a walk stands; good until this is asked again.
    /// </summary>
    /// <param name="walk">The walk.</param>
    /// <param name="tree">Whose nodes it goes to.</param>
    public BitArray At(NodeWalk walk, NodeTree tree)
    {
        _asleep.SetAll(false);
        if (walk.Depth == 0)
        {
            return _asleep;
        }

        Touch(walk);
        int made = tree.CallOf(walk.NodeAt(walk.Depth));
        for (int call = 0; call < _touched.Length; call++)
        {
            _asleep[call] = _touched[call] != 0 && (_touched[call] & _touched[made]) == 0
                && _scope.Alphabet[call].Rank < _scope.Alphabet[made].Rank;
        }

        return _asleep;
    }

    /// <summary>Finds what each call touches at the node before; nothing for those that are not
    /// made there.</summary>
    private void Touch(NodeWalk walk)
    {
        int parent = walk.Depth - 1;
        if (_parent == walk.NodeAt(parent))
        {
            return;
        }

        _parent = walk.NodeAt(parent);
        _view.Fill(walk.StateAt(parent), walk.BindingsAt(parent));
        for (int call = 0; call < _touched.Length; call++)
        {
            ScopeCall made = _scope.Alphabet[call];
            _touched[call] = made.IsEnabled(_view) ? Footprint.Of(made.Call, _view) : 0;
        }
    }
}
