namespace ShmCheck.Abi;

/// <summary>A call on its way to a system.</summary>
/// <param name="Call">The call.</param>
/// <param name="Observed">Whether the system is to be observed behind it.</param>
public readonly record struct SubmittedCall(Call Call, bool Observed);

/// <summary>A system that takes calls before it is known what earlier ones return: a handle
/// stands for whatever the call that binds it is going to return. A call whose handles are then
/// not bound, or whose caller cannot make it, is not made.</summary>
public interface IPipelinedSystem : ISystemUnderTest
{
    /// <summary>Hands over calls, to be made one after the other. Every reply to earlier ones has
    /// been taken.</summary>
    /// <param name="calls">At most <see cref="SystemCapabilities.MostCallsAhead"/>.</param>
    void Submit(IReadOnlyList<SubmittedCall> calls);

    /// <summary>Waits for the reply to the next of the calls handed over. Where the system is to
    /// be observed behind it, <see cref="ISystemUnderTest.Observe"/> then shows what it showed at
    /// that time, and what is not asked for is passed over.</summary>
    /// <param name="call">That call.</param>
    /// <returns>The reply; null when the call was not made because of a handle or its caller.
    /// </returns>
    /// <exception cref="CallNotPossibleException">The call cannot be made as things stand, and
    /// has not been made.</exception>
    Reply? Take(Call call);
}
