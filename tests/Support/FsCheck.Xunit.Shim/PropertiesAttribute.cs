namespace FsCheck.Xunit;

/// <summary>Settings for all properties of a class, its nested classes included, or of an
/// assembly.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Assembly, AllowMultiple = false)]
public class PropertiesAttribute : PropertyAttribute
{
}
