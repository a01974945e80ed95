using ShmCheck.Abi;
using ShmCheck.Faults.Building;
using ShmCheck.Harness.Checking;
using ShmCheck.Impl;

namespace ShmCheck.Cli;

/// <summary>What becomes of a command when a call of its system does not come back.</summary>
internal static class Hanging
{
    /// <summary>Starts the same system with bounds for its loops; null where there is no such
    /// form.</summary>
    public static Func<ISystemFactory>? BoundedFormOf(ISystemFactory system) =>
        system is ImplFactory ? () => FaultySystem.Of() : null;

    /// <summary>Does something with a system; when a call does not come back, leaves that behind
    /// and does it again with bounds for the system's loops.</summary>
    /// <exception cref="SystemLostException">A call does not come back, and there is no such form
    /// of the system.</exception>
    public static T Guard<T>(ISystemFactory system, Func<ISystemFactory, T> action)
    {
        using var watch = new CallWatch();
        ISystemFactory watched = watch.Watch(system);
        Task<T> task = Task.Factory.StartNew(
            () => action(watched), CancellationToken.None, TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        try
        {
            task.Wait(watch.Hung);
        }
        catch (OperationCanceledException) when (watch.Found is { } hung)
        {
            return BoundedFormOf(system) is { } bounded ? action(bounded())
                : throw new SystemLostException(
                    hung.Calls.Count == 0 ? $"{system.Name} does not start"
                        : $"{system.Name}: {hung.Calls[^1].Kind} does not come back",
                    null);
        }
        catch (AggregateException)
        {
            // The exception itself is thrown below.
        }

        return task.GetAwaiter().GetResult();
    }
}
