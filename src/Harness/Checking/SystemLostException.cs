using ShmCheck.Abi;
using ShmCheck.Harness.Reporting;

namespace ShmCheck.Harness.Checking;

/// <summary>The system under test could not be started, or cannot be any more.</summary>
public sealed class SystemLostException(string message, Exception? cause)
    : Exception(message, cause)
{
    /// <summary>Starts a system that is to be checked.</summary>
    /// <param name="factory">Starts it.</param>
    /// <param name="machine">The machine.</param>
    /// <param name="divergence">Set, and no system returned, where its own code throws.</param>
    /// <exception cref="SystemLostException">It is out of reach.</exception>
    internal static ISystemUnderTest? TryStart(
        ISystemFactory factory, MachineConfig machine, out Divergence? divergence)
    {
        divergence = null;
        try
        {
            return Start(factory, machine);
        }
        catch (SystemLostException lost) when (lost.InnerException is { } problem and not
            (SystemOutOfReachException or IOException or UnauthorizedAccessException))
        {
            divergence = new Divergence(
                -1, null, null, Breakdown.Of(problem, null),
                [new Difference("machine", "start", "one", ThrownText.Of(problem), "")]);
            return null;
        }
    }

    /// <summary>Starts a system.</summary>
    /// <exception cref="SystemLostException">It does not start.</exception>
    internal static ISystemUnderTest Start(ISystemFactory factory, MachineConfig machine)
    {
        try
        {
            return factory.Start(machine);
        }
        catch (Exception problem) when (problem is not OutOfMemoryException)
        {
            throw new SystemLostException(
                $"{factory.Name} could not be started: {problem.Message}", problem);
        }
    }
}
