using ShmCheck.Abi;

namespace ShmCheck.Harness.Checking;

/// <summary>Where the calls of a run come from: a list, or a generator that looks at the state
/// reached.</summary>
public interface ICallSource
{
    /// <summary>Whether the calls may be drawn before any is made, from what the specification
    /// foresees: not where the source judges replies.</summary>
    bool CanBeForeseen => false;

    /// <summary>The next call, or null at the end.</summary>
    /// <param name="observation">What the specification shows now.</param>
    /// <param name="bindings">What handles stand for now.</param>
    Call? Next(Observation observation, Bindings bindings);

    /// <summary>Tells what became of a call.</summary>
    /// <param name="call">The call.</param>
    /// <param name="reply">The reply; null when the call was skipped.</param>
    void Done(Call call, Reply? reply);
}

/// <summary>A list of calls as a source.</summary>
public sealed class CallList(IReadOnlyList<Call> calls) : ICallSource
{
    private int _next;

    /// <inheritdoc/>
    public bool CanBeForeseen => true;

    /// <inheritdoc/>
    public Call? Next(Observation observation, Bindings bindings) =>
        _next < calls.Count ? calls[_next++] : null;

    /// <inheritdoc/>
    public void Done(Call call, Reply? reply)
    {
    }
}
