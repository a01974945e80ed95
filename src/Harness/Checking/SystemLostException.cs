using ShmCheck.Abi;

namespace ShmCheck.Harness.Checking;

/// <summary>The system under test could not be started, or cannot be any more.</summary>
public sealed class SystemLostException(string message, Exception? cause)
    : Exception(message, cause)
{
    /// <summary>Starts a system that is to be checked.</summary>
    /// <param name="factory">Starts it.</param>
    /// <param name="machine">The machine.</param>
    /// <param name="thrown">What its own code threw, where no system is returned.</param>
    /// <exception cref="SystemLostException">It is out of reach.</exception>
    internal static ISystemUnderTest? TryStart(
        ISystemFactory factory, MachineConfig machine, out Exception? thrown)
    {
        thrown = null;
        try
        {
            return factory.Start(machine);
        }
        catch (Exception problem) when (
            problem is SystemOutOfReachException or IOException or UnauthorizedAccessException)
        {
            throw NotStarted(factory, problem);
        }
        catch (Exception problem) when (problem is not OutOfMemoryException)
        {
            thrown = problem;
            return null;
        }
    }

    /// <summary>Starts a system.</summary>
    /// <exception cref="SystemLostException">It does not start.</exception>
    internal static ISystemUnderTest Start(ISystemFactory factory, MachineConfig machine) =>
        TryStart(factory, machine, out Exception? thrown) ?? throw NotStarted(factory, thrown!);

    private static SystemLostException NotStarted(ISystemFactory factory, Exception problem) =>
        new($"{factory.Name} could not be started: {problem.Message}", problem);
}
