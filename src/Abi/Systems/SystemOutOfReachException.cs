namespace ShmCheck.Abi;

/// <summary>A system cannot be had, or is not there any more: a program that has ended, a machine
/// in other hands. A start that throws it says nothing of what the system does; one that throws
/// anything else, but what comes of files, is a divergence.</summary>
/// <param name="message">Why, and what to do about it.</param>
/// <param name="cause">What brought it to light, if anything.</param>
public abstract class SystemOutOfReachException(string message, Exception? cause = null)
    : Exception(message, cause);
