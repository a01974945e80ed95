using ShmCheck.Abi;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Checking;

/// <summary>Resolves what Linux may choose from the reply that the system gave: a choice that
/// the specification admits is taken over, any other one falls back to the specification's own
/// and shows as a divergence.</summary>
internal sealed class ReplyChoices(SystemCapabilities capabilities) : IChoices
{
    private readonly CanonicalChoices _own = new();
    private Reply _reply = Reply.Zero;

    /// <summary>Whether an injected failure that the specification cannot count happened.
    /// </summary>
    public bool InjectionHappened { get; set; }

    /// <summary>Sets the reply of the call that is checked next.</summary>
    public void Use(Reply reply)
    {
        _reply = reply;
        InjectionHappened = false;
    }

    public int Identifier(int predicted, Func<int, bool> admissible) =>
        capabilities.ChoosesIdentifiersFreely && _reply is Reply.Value value
            && value.Result is >= 0 and <= int.MaxValue && admissible((int)value.Result)
                ? (int)value.Result : predicted;

    public ulong Place(Room room) =>
        _reply is Reply.Value value && room.Admissible((ulong)value.Result)
            ? (ulong)value.Result : _own.Place(room);

    public int Pid(int predicted, Func<int, bool> admissible) =>
        _reply is Reply.Value value && value.Result is > 0 and <= int.MaxValue
            && admissible((int)value.Result)
                ? (int)value.Result : predicted;

    public bool Fails(Injection injection) => InjectionHappened;
}
