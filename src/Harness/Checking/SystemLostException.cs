using ShmCheck.Abi;

namespace ShmCheck.Harness.Checking;

/// <summary>The system under test could not be started, or cannot be any more.</summary>
public sealed class SystemLostException(string message, Exception? cause)
    : Exception(message, cause)
{
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
